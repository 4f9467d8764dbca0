//! The SMTP password that belongs to a secret key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What is signed with what the step before gave, after the region: service, end, and the call that SMTP stands for.
const REST: [&str; 3] = ["ses", "aws4_request", "SendRawEmail"];
/// The same for ever: the password does not change with the day.
const DATE: &str = "11111111";
const VERSION: u8 = 0x04;

/// The password of SES's SMTP server in that region for the user of this secret key: a chain of signatures (SES developer
/// guide, "Obtaining Amazon SES SMTP credentials by converting existing AWS credentials").
pub fn smtp_password(secret_key: &SecretString, region: &str) -> SecretString {
    let first = Zeroizing::new(format!("AWS4{}", secret_key.expose_secret()).into_bytes());
    let words = [DATE, region].into_iter().chain(REST);
    let signature = words.fold(first, |key, word| signed(&key, word));
    let mut whole = Zeroizing::new(vec![VERSION]);
    whole.extend_from_slice(&signature);
    SecretString::from(BASE64.encode(&*whole))
}

/// HMAC-SHA256.
pub(super) fn signed(key: &[u8], word: &str) -> Zeroizing<Vec<u8>> {
    // A key of this kind may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Zeroizing::new(Vec::new()) };
    mac.update(word.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out with another program, by the steps of the guide; the key is the one of AWS's own examples.
    #[test]
    fn it_is_what_the_guide_says_and_another_one_in_another_region() {
        let key = SecretString::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let of = |region| smtp_password(&key, region).expose_secret().to_owned();
        assert_eq!(of("eu-west-1"), "BMW5RDrXmmVs0lV7GpI4oLkHXpZ4stDsk6q91z1g38Pk");
        assert_eq!(of("us-east-1"), "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9");
        assert_eq!(of("eu-west-1").len(), 44);
    }
}
