//! S3 Control: what holds for all buckets of the account, in every region.
//!
//! Rules: "Amazon S3 API Reference", S3 Control: GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock. A new
//! account has no block of its own. No organisation is above it.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::xml::text_of;

/// It is signed as S3 is; the version of its interface, with which its paths begin, tells it apart.
pub(super) const SIGNED_AS: &str = "s3";
pub(super) const PATH: &str = "/v20180820/";
pub(super) const NAME: &str = "s3control";
pub(super) const SPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// Method, path and operation.
pub(super) const PATHS: &[(&str, &str, &str)] = &[
    ("GET", "/v20180820/configuration/publicAccessBlock", "GetPublicAccessBlock"),
    ("PUT", "/v20180820/configuration/publicAccessBlock", "PutPublicAccessBlock"),
    ("DELETE", "/v20180820/configuration/publicAccessBlock", "DeletePublicAccessBlock"),
];

/// The four parts, as AWS calls them.
const PARTS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// What somebody has set for the account, in the order of the parts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Block([bool; 4]);

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask = visit.ask;
    let world = visit.world();
    if ask.headers.get("x-amz-account-id") != Some(&world.account) {
        return Err(Refusal::new("AccessDenied", "Access Denied"));
    }
    match ask.action() {
        "GetPublicAccessBlock" => {
            let message = "The public access block configuration was not found";
            let block = world.block.ok_or_else(|| Refusal::new("NoSuchPublicAccessBlockConfiguration", message))?;
            Ok(Some(document(block)))
        }
        "PutPublicAccessBlock" => {
            if !ask.body.contains("<PublicAccessBlockConfiguration") {
                let message =
                    "The XML you provided was not well-formed or did not validate against our published schema";
                return Err(Refusal::new("MalformedXML", message));
            }
            // What is not said is not blocked.
            world.block = Some(Block(PARTS.map(|part| text_of(&ask.body, part) == Some("true"))));
            Ok(Some(String::new()))
        }
        "DeletePublicAccessBlock" => {
            world.block = None;
            Ok(Some(String::new()))
        }
        other => {
            Err(Refusal::new("MethodNotAllowed", format!("The practice cloud does not know {other} of S3 Control")))
        }
    }
}

fn document(block: Block) -> String {
    let parts: String = PARTS.iter().zip(block.0).map(|(part, set)| format!("<{part}>{set}</{part}>")).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PublicAccessBlockConfiguration xmlns=\"{SPACE}\">{parts}\
         </PublicAccessBlockConfiguration>"
    )
}
