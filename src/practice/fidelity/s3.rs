//! Objects in buckets. The buckets are entries of Cloud Control.
//!
//! Rules: "Amazon S3 API Reference", the page of each operation and "Error responses"; "Working with archived objects" of the
//! user guide. Versions are not kept, and no copy that was fetched from the archive ever ends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::pace::Wait;
use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::World;
use super::xml::text_of;

/// Method, path and operation.
pub(super) const PATHS: &[(&str, &str, &str)] = &[
    ("HEAD", "/{Bucket}/{Key+}", "HeadObject"),
    ("GET", "/{Bucket}/{Key+}", "GetObject"),
    ("PUT", "/{Bucket}/{Key+}", "PutObject"),
    ("DELETE", "/{Bucket}/{Key+}", "DeleteObject"),
    ("POST", "/{Bucket}/{Key+}", "RestoreObject"),
    ("GET", "/{Bucket}", "ListObjectsV2"),
];

const META: &str = "x-amz-meta-";
const CLASSES: [&str; 7] =
    ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];
const DAY: i64 = 24 * 3_600_000;

/// One object.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    text: String,
    content_type: Option<String>,
    class: String,
    written: i64,
    /// It was sent with one, and S3 shows it again.
    checksum: Option<String>,
    /// Name and value.
    metadata: Vec<(String, String)>,
    fetched: Option<Fetched>,
}

/// A copy out of the archive.
#[derive(Debug, Serialize, Deserialize)]
struct Fetched {
    from: i64,
    days: i64,
}

impl Stored {
    fn sha256(&self) -> String {
        BASE64.encode(Sha256::digest(self.text.as_bytes()))
    }

    fn etag(&self) -> String {
        format!("\"{}\"", &blake3::hash(self.text.as_bytes()).to_hex()[..32])
    }

    fn is_archived(&self) -> bool {
        ["GLACIER", "DEEP_ARCHIVE"].contains(&self.class.as_str())
    }

    /// `ongoing-request="true"`, or until when it can be read.
    fn restore(&self, now: i64) -> Option<String> {
        let fetched = self.fetched.as_ref()?;
        if now < fetched.from {
            return Some("ongoing-request=\"true\"".to_owned());
        }
        // Until midnight after that many days.
        let until = (fetched.from + fetched.days * DAY) / DAY * DAY + DAY;
        Some(format!("ongoing-request=\"false\", expiry-date=\"{}\"", http_date(until)))
    }

    fn headers(&self, now: i64) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-length", self.text.len().to_string()),
            ("content-type", self.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())),
            ("etag", self.etag()),
            ("last-modified", http_date(self.written)),
            ("x-amz-server-side-encryption", "AES256".to_owned()),
        ];
        headers.extend(self.checksum.clone().map(|checksum| ("x-amz-checksum-sha256", checksum)));
        if self.class != "STANDARD" {
            headers.push(("x-amz-storage-class", self.class.clone()));
        }
        headers.extend(self.restore(now).map(|restore| ("x-amz-restore", restore)));
        for (name, value) in &self.metadata {
            // Names of headers live as long as the program: those of ours are known.
            if let Some(known) = OURS.iter().find(|known| **known == name) {
                headers.push((known, value.clone()));
            }
        }
        headers
    }
}

/// The metadata that onramp writes.
const OURS: [&str; 3] = ["x-amz-meta-onramp-engagement", "x-amz-meta-onramp-key", "x-amz-meta-onramp-sha256"];

fn http_date(millis: i64) -> String {
    let at = Timestamp::from_millisecond(millis).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Has a bucket any objects?
pub(super) fn is_full(world: &World, bucket: &str) -> bool {
    world.objects.keys().any(|place| place.split_once('/').is_some_and(|(of, _)| of == bucket))
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask = visit.ask;
    let (bucket, key) = (ask.get("Bucket").unwrap_or_default(), ask.get("Key").unwrap_or_default());
    let prefix = ask.get("prefix").unwrap_or_default();
    let world = visit.world();
    if world.control.seen(world, "AWS::S3::Bucket", bucket).is_none() {
        return Err(Refusal::new("NoSuchBucket", "The specified bucket does not exist"));
    }
    let (place, now) = (format!("{bucket}/{key}"), world.now);
    let there = |world: &World| world.objects.contains_key(&place) && world.visible(&place);
    let missing = || Refusal::new("NoSuchKey", "The specified key does not exist.");
    match ask.action() {
        "PutObject" => {
            let etag = put(world, visit_put(ask, &place)?)?;
            visit.headers.push(("etag", etag));
            Ok(Some(String::new()))
        }
        "HeadObject" | "GetObject" => {
            let stored = world.objects.get(&place).filter(|_| there(world)).ok_or_else(missing)?;
            let (headers, text) = (stored.headers(now), stored.text.clone());
            let unread = stored.is_archived() && stored.fetched.as_ref().is_none_or(|fetched| now < fetched.from);
            visit.headers.extend(headers);
            match ask.action() {
                "HeadObject" => Ok(Some(String::new())),
                _ if unread => {
                    Err(Refusal::new("InvalidObjectState", "The operation is not valid for the object's storage class"))
                }
                _ => Ok(Some(text)),
            }
        }
        "DeleteObject" => {
            world.objects.remove(&place);
            world.forget(&place);
            Ok(Some(String::new()))
        }
        "RestoreObject" => restore(world, &place, &ask.body).map(|()| Some(String::new())),
        "ListObjectsV2" => Ok(Some(list(world, bucket, prefix))),
        other => Err(Refusal::new("MethodNotAllowed", format!("The practice cloud does not know {other} of S3"))),
    }
}

/// What is to be written.
struct Put<'a> {
    place: &'a str,
    stored: Stored,
    /// Only where there is none.
    new: bool,
}

fn visit_put<'a>(ask: &'a super::request::Request, place: &'a str) -> Result<Put<'a>, Refusal> {
    let header = |name: &str| ask.headers.get(name);
    let class = header("x-amz-storage-class").map_or("STANDARD", String::as_str);
    if !CLASSES.contains(&class) {
        return Err(Refusal::new("InvalidStorageClass", "The storage class you specified is not valid"));
    }
    let metadata = ask.headers.iter().filter(|(name, _)| name.starts_with(META)).map(|(n, v)| (n.clone(), v.clone()));
    let stored = Stored {
        text: ask.body.clone(),
        content_type: header("content-type").cloned(),
        class: class.to_owned(),
        written: 0,
        checksum: header("x-amz-checksum-sha256").cloned(),
        metadata: metadata.collect(),
        fetched: None,
    };
    let new = header("if-none-match").is_some_and(|value| value == "*");
    Ok(Put { place, stored, new })
}

fn put(world: &mut World, put: Put<'_>) -> Result<String, Refusal> {
    if put.new && world.objects.contains_key(put.place) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(Refusal::new("PreconditionFailed", message));
    }
    if put.stored.checksum.as_ref().is_some_and(|checksum| *checksum != put.stored.sha256()) {
        return Err(Refusal::new("BadDigest", "The SHA256 you specified did not match the calculated checksum."));
    }
    let etag = put.stored.etag();
    if !world.objects.contains_key(put.place) {
        world.appears(put.place);
    }
    let stored = Stored { written: world.now, ..put.stored };
    world.objects.insert(put.place.to_owned(), stored);
    Ok(etag)
}

fn restore(world: &mut World, place: &str, body: &str) -> Result<(), Refusal> {
    let (now, from) = (world.now, world.now + world.pace.millis(Wait::Thaw));
    let stored = world.objects.get_mut(place);
    let stored = stored.ok_or_else(|| Refusal::new("NoSuchKey", "The specified key does not exist."))?;
    if !stored.is_archived() {
        let message = "Restore is not allowed for the object's current storage class";
        return Err(Refusal::new("InvalidObjectState", message));
    }
    if stored.fetched.as_ref().is_some_and(|fetched| now < fetched.from) {
        return Err(Refusal::new("RestoreAlreadyInProgress", "Object restore is already in progress"));
    }
    if stored.class == "DEEP_ARCHIVE" && text_of(body, "Tier") == Some("Expedited") {
        return Err(Refusal::new("InvalidArgument", "Expedited retrievals are not available for DEEP_ARCHIVE"));
    }
    let days = text_of(body, "Days").and_then(|days| days.parse().ok()).filter(|days| *days > 0);
    let days = days.ok_or_else(|| Refusal::new("MalformedXML", "Days must be a positive number"))?;
    // One that is there already only stays longer.
    let from = stored.fetched.as_ref().map_or(from, |fetched| fetched.from);
    stored.fetched = Some(Fetched { from, days });
    Ok(())
}

fn list(world: &World, bucket: &str, prefix: &str) -> String {
    let escape = winterbaume_core::xml_escape;
    let mut contents = String::new();
    let mut count = 0;
    for (place, stored) in &world.objects {
        let Some(key) = place.strip_prefix(&format!("{bucket}/")).filter(|key| key.starts_with(prefix)) else {
            continue;
        };
        if !world.visible(place) {
            continue;
        }
        count += 1;
        let written = Timestamp::from_millisecond(stored.written).unwrap_or_default();
        contents.push_str(&format!(
            "<Contents><Key>{}</Key><LastModified>{written}</LastModified><ETag>{}</ETag><Size>{}</Size>\
             <StorageClass>{}</StorageClass></Contents>",
            escape(key),
            escape(&stored.etag()),
            stored.text.len(),
            stored.class,
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{}</Name><Prefix>{}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys>\
         <IsTruncated>false</IsTruncated>{contents}</ListBucketResult>",
        escape(bucket),
        escape(prefix)
    )
}
