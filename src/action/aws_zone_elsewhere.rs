//! A private zone that is asked from a VPC of another account: here it is allowed, and there it is done. Once it is done
//! nobody needs the permission any more, and it is taken back ("Associating an Amazon VPC and a private hosted zone that you
//! created with different AWS accounts").

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_zone::Zone;
use super::call::Call;
use super::call::dns::{DnsRequest, ZoneVpc};
use super::check::Question;
use super::object::{Made, Remains, Sight, Thing, found};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::{AwsFailure, Kind, Operation};

/// A zone of ours, and a VPC of somebody else's.
struct Pair {
    zone: String,
    vpc: ZoneVpc,
}

impl Pair {
    fn new(arguments: Arguments<'_>) -> Result<Self, Failure> {
        let vpc = ZoneVpc { id: arguments.text("vpc")?, region: arguments.text("region")? };
        Ok(Pair { zone: arguments.text("zone")?, vpc })
    }

    /// May the VPC's account associate it?
    async fn is_allowed(&self, at: &Account<'_>) -> Result<bool, AwsFailure> {
        if !known(&self.zone) || !known(&self.vpc.id) {
            return Ok(false);
        }
        let mut next: Option<String> = None;
        loop {
            let request = at.cloud.route53().list_vpc_association_authorizations().hosted_zone_id(&self.zone);
            let request = request.set_next_token(next);
            let page = match at.cloud.read(Operation::ListVPCAssociationAuthorizations, || request.clone().send()).await
            {
                Ok(page) => page,
                Err(failure) if failure.kind == Kind::NotFound => return Ok(false),
                Err(failure) => return Err(failure),
            };
            if page.vpcs().iter().any(|vpc| vpc.vpc_id() == Some(&self.vpc.id)) {
                return Ok(true);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(false);
            }
        }
    }

    fn allow(&self) -> Call {
        let (hosted_zone_id, vpc) = (self.zone.clone(), self.vpc.clone());
        Call::Dns(DnsRequest::CreateVPCAssociationAuthorization { hosted_zone_id, vpc })
    }

    fn forbid(&self) -> Call {
        let (hosted_zone_id, vpc) = (self.zone.clone(), self.vpc.clone());
        Call::Dns(DnsRequest::DeleteVPCAssociationAuthorization { hosted_zone_id, vpc })
    }
}

/// `aws/zone-authorization`
pub(super) struct Authorization(Pair);

impl Authorization {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Pair::new(arguments).map(Authorization)
    }
}

#[async_trait]
impl Thing for Authorization {
    fn noun(&self) -> String {
        format!("leave for {} to ask zone {}", self.0.vpc.id, self.0.zone)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.0.allow()]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        Ok(match self.0.is_allowed(at).await? {
            true => Sight::Ready(found(format!("{} may be associated with {}", self.0.vpc.id, self.0.zone), json!({}))),
            false => Sight::Nothing { said: format!("{} may not be associated with {}", self.0.vpc.id, self.0.zone) },
        })
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.0.forbid()]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let there = self.0.is_allowed(at).await?;
        Ok(if there { Remains::Takes(self.inverse("", made)) } else { Remains::Gone })
    }
}

/// `aws/zone-authorization-ended`: nobody may associate the VPC any more; where it is, it stays.
pub(super) struct AuthorizationEnded(Pair);

impl AuthorizationEnded {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Pair::new(arguments).map(AuthorizationEnded)
    }
}

#[async_trait]
impl Thing for AuthorizationEnded {
    fn noun(&self) -> String {
        format!("end of the leave for {} to be associated with {}", self.0.vpc.id, self.0.zone)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.0.forbid()]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        Ok(match self.0.is_allowed(at).await? {
            true => Sight::Nothing { said: format!("{} may still be associated with {}", self.0.vpc.id, self.0.zone) },
            false => Sight::Ready(found(format!("{} needs no leave any more", self.0.vpc.id), json!({}))),
        })
    }

    /// What was given for a while is given back by nobody.
    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        Vec::new()
    }

    async fn remains(&self, _at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(Remains::Gone)
    }
}

/// `aws/zone-asked-from`: the VPC's account has associated it.
pub(super) struct AskedFrom(Pair);

impl AskedFrom {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Pair::new(arguments).map(AskedFrom)
    }
}

#[async_trait]
impl Question for AskedFrom {
    async fn ask(&self, world: &World) -> Verified {
        let Pair { zone, vpc } = &self.0;
        asked(world, async |cloud| {
            let at = Account::new(&cloud, &world.subject);
            let there = if known(zone) { Zone::of_id(&at, zone).await? } else { None };
            Ok(match there {
                None => Verified::NotYet { said: "the zone is not there yet".to_owned() },
                Some(there) if there.vpcs.contains(vpc) => {
                    Verified::So(found(format!("{zone} is asked from {}", vpc.id), json!({})))
                }
                Some(_) => Verified::NotYet { said: format!("{zone} is not asked from {}", vpc.id) },
            })
        })
        .await
    }
}
