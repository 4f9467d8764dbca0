//! A permission to copy that one region hands to another: a URL that is signed as its call would be (Amazon EC2 API
//! reference, CopySnapshot, `PresignedUrl`). The SDK makes none for this call.

use std::fmt::Write;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use sha2::{Digest, Sha256};

use super::clients::Cloud;
use super::error::AwsFailure;
use super::operations::Operation;
use super::smtp::signed;

/// So long the URL holds, in seconds.
const HOLDS: u32 = 3_600;
/// Digest of an empty body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Cloud {
    /// What lets this region read the snapshot in another region of the account.
    ///
    /// # Errors
    /// There are no credentials to sign with.
    pub async fn leave_to_copy(&self, source_region: &str, snapshot: &str) -> Result<String, AwsFailure> {
        let credentials = self.session().provide_credentials().await;
        let credentials = credentials.map_err(|error| AwsFailure::unbuilt(Operation::CopySnapshot, &error))?;
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        Ok(leave(&credentials, (source_region, snapshot, self.region()), &now))
    }
}

fn leave(credentials: &Credentials, (source, snapshot, destination): (&str, &str, &str), now: &str) -> String {
    let host = match source.starts_with("cn-") {
        true => format!("ec2.{source}.amazonaws.com.cn"),
        false => format!("ec2.{source}.amazonaws.com"),
    };
    let day = now.get(..8).unwrap_or_default();
    let scope = format!("{day}/{source}/ec2/aws4_request");
    let mut query = vec![
        ("Action", "CopySnapshot".to_owned()),
        ("DestinationRegion", destination.to_owned()),
        ("SourceRegion", source.to_owned()),
        ("SourceSnapshotId", snapshot.to_owned()),
        ("Version", "2016-11-15".to_owned()),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("X-Amz-Credential", format!("{}/{scope}", credentials.access_key_id())),
        ("X-Amz-Date", now.to_owned()),
        ("X-Amz-Expires", HOLDS.to_string()),
        ("X-Amz-SignedHeaders", "host".to_owned()),
    ];
    query.extend(credentials.session_token().map(|token| ("X-Amz-Security-Token", token.to_owned())));
    query.sort_by_key(|(name, _)| *name);
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let query = query.join("&");
    let request = format!("GET\n/\n{query}\nhost:{host}\n\nhost\n{EMPTY}");
    let request = hex(&Sha256::digest(request.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{request}");
    let first = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_access_key()).into_bytes());
    let key = [day, source, "ec2", "aws4_request"].iter().fold(first, |key, word| signed(&key, word));
    format!("https://{host}/?{query}&X-Amz-Signature={}", hex(&signed(&key, &to_sign)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => out.push(char::from(byte)),
            false => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out with botocore's SigV4QueryAuth; the keys are those of AWS's own examples.
    #[test]
    fn the_url_is_signed_as_another_program_signs_it() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let of = |token: Option<&str>| {
            let credentials = Credentials::new("AKIDEXAMPLE", secret, token.map(str::to_owned), None, "test");
            let copy = ("eu-west-1", "snap-0123456789abcdef0", "eu-central-1");
            let url = leave(&credentials, copy, "20260801T120000Z");
            assert!(url.starts_with("https://ec2.eu-west-1.amazonaws.com/?Action=CopySnapshot&"), "{url}");
            url.rsplit_once("X-Amz-Signature=").unwrap().1.to_owned()
        };
        assert_eq!(of(None), "e46788c8f0cbd8cb45e7f450b988f6fa514ec5e9cefff5a0064d0001d0444126");
        assert_eq!(of(Some("a/token+=")), "7170fcc5b52d0d7b0d2d0e714aac571fdde1bf4dd1ae43d7ca8d4779a145f286");
    }
}
