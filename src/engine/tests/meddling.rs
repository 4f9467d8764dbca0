//! What practice has no levers for: somebody who stands between the hosts and what they ask, and words of AWS's that its
//! cloud never says.

use std::net::{IpAddr, Ipv4Addr};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::practice::cloud::{Cloud as Practice, Lease, Letter, Question, Said};
use crate::practice::net::{Gate, Service, Source, Verdict};

/// Whose connections are dropped on the way to where.
type Drops = Box<dyn Fn(Source, IpAddr, u16) -> bool + Send + Sync>;
/// What a name server says otherwise, if anything.
pub(super) type Names = fn(&Question) -> Option<Said>;

/// What is meddled with.
pub(super) enum Does {
    Drops(Drops),
    /// The data centre gives no time.
    KeepsTime,
    /// The data centre answers no ping.
    AnswersNoPing,
    /// What is larger is lost on the way to the data centre.
    CutsAt(u32),
    Names(Names),
    /// A mail server answers a line that begins so otherwise.
    Mail(&'static str, &'static str),
}

struct Meddler {
    walls: Arc<dyn Gate>,
    does: Does,
}

impl Stage {
    /// From now on, until it does something else.
    pub(super) fn meddled(&mut self, does: Does) {
        self.dial = self.account.dialer_past(Arc::new(Meddler { walls: self.account.walls(), does }));
    }

    pub(super) fn let_be(&mut self) {
        self.dial = self.account.dialer();
    }
}

#[async_trait::async_trait]
impl Gate for Meddler {
    async fn allows(&self, from: Source, to: IpAddr, port: u16) -> Verdict {
        match &self.does {
            Does::Drops(drops) if drops(from, to, port) => Verdict::Filtered,
            _ => self.walls.allows(from, to, port).await,
        }
    }

    async fn joined(&self, from: Source, to: IpAddr) -> Option<IpAddr> {
        self.walls.joined(from, to).await
    }

    async fn answers(&self, from: Source, to: IpAddr, service: Service) -> Option<u32> {
        let largest = self.walls.answers(from, to, service).await?;
        match (&self.does, service) {
            (Does::KeepsTime, Service::Time) | (Does::AnswersNoPing, Service::Ping) => None,
            (Does::CutsAt(most), Service::Ping) => Some(largest.min(*most)),
            _ => Some(largest),
        }
    }

    async fn names(&self, question: &Question) -> Said {
        match &self.does {
            Does::Names(says) => match says(question) {
                Some(said) => said,
                None => self.walls.names(question).await,
            },
            _ => self.walls.names(question).await,
        }
    }

    async fn post(&self, server: &str, letter: &Letter) -> Result<String, String> {
        self.walls.post(server, letter).await
    }

    async fn mail_says(&self, server: &str, line: &str) -> Option<String> {
        match &self.does {
            Does::Mail(begins, says) if line.starts_with(begins) => Some((*says).to_owned()),
            _ => self.walls.mail_says(server, line).await,
        }
    }

    async fn mailbox(&self, address: &str) -> Option<String> {
        self.walls.mailbox(address).await
    }

    async fn stored(&self, from: Source, server: &str, path: &str, puts: bool) -> Option<(u16, String)> {
        self.walls.stored(from, server, path, puts).await
    }

    async fn lease(&self, host: Ipv4Addr) -> Option<Lease> {
        self.walls.lease(host).await
    }
}

/// One word for another in everything that AWS answers.
pub(super) type Words = &'static [(&'static str, &'static str)];

#[derive(Debug, Clone)]
struct Reworded {
    cloud: Practice,
    words: Words,
}

/// The cloud, which says these words otherwise.
pub(super) fn reworded(cloud: &Practice, words: Words) -> SharedHttpClient {
    SharedHttpClient::new(Reworded { cloud: cloud.clone(), words })
}

impl HttpConnector for Reworded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, words) = (self.cloud.call(request), self.words);
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            let said = answer.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::to_owned);
            if let Some(said) = said {
                let otherwise = words.iter().fold(said, |said, (word, other)| said.replace(word, other));
                *answer.body_mut() = SdkBody::from(otherwise);
            }
            Ok(answer)
        })
    }
}

impl HttpClient for Reworded {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
