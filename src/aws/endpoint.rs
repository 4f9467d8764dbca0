//! Where S3 Control is asked.
//!
//! AWS wants the account before the host's name, as well as in a header ("Amazon S3 API Reference", `x-amz-account-id`). An
//! endpoint that is a mere address, or this very machine, has no name before which it could stand: there the header says it.

use std::net::IpAddr;

use aws_sdk_s3control::config::endpoint::{DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint};

/// The SDK's own rules, but for such an endpoint.
#[derive(Debug, Default)]
pub(super) struct AccountInHeader(DefaultResolver);

impl ResolveEndpoint for AccountInHeader {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        match params.endpoint().filter(|url| is_nameless(url)) {
            Some(url) => EndpointFuture::ready(Ok(Endpoint::builder().url(url.to_owned()).build())),
            None => ResolveEndpoint::resolve_endpoint(&self.0, params),
        }
    }
}

fn is_nameless(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(endpoint: Option<&str>) -> String {
        let params = Params::builder().region("eu-west-1").account_id("123456789012").requires_account_id(true);
        let params = params.set_endpoint(endpoint.map(str::to_owned)).build().unwrap();
        AccountInHeader::default().resolve_endpoint(&params).await.unwrap().url().to_owned()
    }

    #[tokio::test]
    async fn the_account_stands_before_a_name_and_before_no_address() {
        for (endpoint, wanted) in [
            (None, "https://123456789012.s3-control.eu-west-1.amazonaws.com"),
            (
                Some("https://control.vpce-1a2b-3c4d.s3.eu-west-1.vpce.amazonaws.com"),
                "https://123456789012.control.vpce-1a2b-3c4d.s3.eu-west-1.vpce.amazonaws.com",
            ),
            (Some("http://127.0.0.1:5123"), "http://127.0.0.1:5123"),
            (Some("http://[::1]:5123"), "http://[::1]:5123"),
            (Some("http://localhost:4566"), "http://localhost:4566"),
        ] {
            assert_eq!(asked(endpoint).await, wanted);
        }
    }
}
