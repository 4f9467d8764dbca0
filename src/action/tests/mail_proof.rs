//! That mail of a domain is known as the domain's: its records can be seen, and what arrives is signed.

use serde_json::json;

use super::mail::{published, sent};
use super::*;

#[tokio::test]
async fn what_arrives_is_signed_by_the_domain_and_whoever_gets_it_can_tell() {
    let account = crate::practice::Account::new(ACCOUNT, REGION, Pace::Instant, Faults::none());
    let cloud = account.cloud();
    let wiring = Wiring {
        region: REGION.to_owned(),
        http_client: Some(cloud.http_client()),
        credentials: Some(cloud.credentials()),
        hurry: 100,
        ..Wiring::default()
    };
    let mut stage = Stage::over(wiring, Some(cloud.clone()), "e1").await;
    stage.world.net = account.net();
    let domain = stage.make("aws/mail-domain", json!({ "domain": "mc.acme.example", "key": "mail/domain" })).await;
    let records = json!({ "records": domain["records"], "zone": "mc.acme.example" });
    let seen = stage.action("probe/dns-records", &records);
    let Verified::NotYet { said } = seen.verify(&stage.world).await else { panic!("nobody has published them") };
    assert!(said.matches("no CNAME record").count() == 3, "{said}");

    // The provider has put the zone's name behind one of them.
    let mut spoilt = domain.clone();
    let name = domain["records"][0]["name"].as_str().unwrap();
    spoilt.get_mut("records").unwrap()[0]["name"] = json!(format!("{name}.mc.acme.example"));
    published(&stage, &spoilt).await;
    let Verified::NotYet { said } = seen.verify(&stage.world).await else { panic!("one stands elsewhere") };
    assert!(said.contains("the zone's name was put behind it once more"), "{said}");
    published(&stage, &domain).await;
    let Verified::So(found) = seen.verify(&stage.world).await else { panic!("all can be seen") };
    assert_eq!(found.output["answers"].as_object().unwrap().len(), 3);

    let message = json!({ "from": "no-reply@mc.acme.example", "to": "success@simulator.amazonses.com" });
    let signed = json!({ "file": "/mail/success/simulator.amazonses.com", "domain": "mc.acme.example" });
    let signed = stage.action("probe/dkim", &signed);
    let Verified::Unknown(_) = signed.verify(&stage.world).await else { panic!("nothing has come") };
    sent(&stage, &message).await;
    let Verified::So(found) = signed.verify(&stage.world).await else {
        panic!("{:?}", signed.verify(&stage.world).await)
    };
    assert!(found.said.contains("dkim=pass header.d=mc.acme.example"), "{found:?}");
    let other = json!({ "file": "/mail/success/simulator.amazonses.com", "domain": "acme.example" });
    let other = stage.action("probe/dkim", &other).verify(&stage.world).await;
    assert!(matches!(&other, Verified::NotYet { said } if said.contains("not by acme.example")), "{other:?}");
}
