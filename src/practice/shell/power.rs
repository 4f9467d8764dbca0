//! A host goes down and comes up again: what is in memory is gone, what is on its disk stays.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bashkit::FileSystem;
use futures_util::future::BoxFuture;

use super::machine::{Machine, Sshd};
use super::program::{Answer, Call};
use super::systemd::{AtBoot, Condition};
use crate::practice::net::Network;

/// Between the word and the end: whoever said it can still be answered.
const LAST_MOMENT: Duration = Duration::from_millis(300);
/// How long nothing answers.
const DOWN: Duration = Duration::from_secs(2);

/// What is on a file system in memory.
const IN_MEMORY: &[&str] = &["/run", "/tmp"];

/// Takes the host down in a moment, and brings it up again.
fn restart(network: Arc<Network>, machine: Arc<Machine>) {
    tokio::spawn(async move {
        tokio::time::sleep(LAST_MOMENT).await;
        let Ok(again) = Machine::load(machine.save(), machine.clock.clone()) else { return };
        let again = Arc::new(again);
        again.lose_memory().await;
        // It is on the network at once, so that it is not forgotten when practice is left now; nothing listens there yet.
        network.attach(again.clone());
        tokio::time::sleep(DOWN).await;
        again.come_up().await;
    });
}

impl Machine {
    async fn lose_memory(&self) {
        for place in IN_MEMORY {
            for name in self.disk.names(place).await {
                // What cannot be removed was not there.
                let _ = self.disk.raw().remove(&Path::new(place).join(name), true).await;
            }
        }
        self.with(|state| {
            state.coming_up = true;
            state.sshd = Sshd::default();
            state.chrony = None;
            state.firewall.nft = Default::default();
            state.timers.clear();
            state.units.retain(|_, unit| unit.enabled != AtBoot::Transient);
            for unit in state.units.values_mut() {
                (unit.active, unit.pid) = (Condition::Down, 0);
            }
        });
    }

    /// Comes up, if it is on the way.
    pub async fn come_up(self: &Arc<Self>) {
        if self.with(|state| state.coming_up) {
            self.boot().await;
            self.with(|state| state.coming_up = false);
        }
    }
}

async fn down(call: &Call) -> Answer {
    if !call.is_root() {
        return Answer::fail(1, "Call to Reboot failed: Interactive authentication required.\n");
    }
    match &call.session.reach {
        Some(reach) => {
            restart(reach.network.clone(), call.session.machine.clone());
            Answer::ok("")
        }
        None => Answer::fail(1, "Failed to connect to bus: No such file or directory\n"),
    }
}

/// `reboot`, and what `systemctl reboot` does.
pub fn reboot(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move { down(&call).await })
}

/// shutdown(8), as far as it restarts at once.
pub fn shutdown(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        match call.words().as_slice() {
            ["-r", "now" | "+0"] => down(&call).await,
            _ => Answer::fail(1, "shutdown: practice knows -r now\n"),
        }
    })
}
