//! Stands before an endpoint, and hands on every answer so much later; and counts the calls.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

pub struct Late {
    pub url: String,
    calls: Arc<AtomicUsize>,
}

impl Late {
    pub fn before(endpoint: &str, delay: Duration) -> Late {
        let behind = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let count = calls.clone();
        spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(&behind).unwrap();
                near.set_nodelay(true).unwrap();
                far.set_nodelay(true).unwrap();
                let (there, back) = ((near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near));
                let count = count.clone();
                spawn(move || {
                    hand_on(there.0, there.1, Duration::ZERO, &|piece| {
                        if piece.starts_with(b"POST ") {
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                });
                spawn(move || hand_on(back.0, back.1, delay, &|_| {}));
            }
        });
        Late { url, calls }
    }

    pub fn forget(&self) {
        self.calls.store(0, Ordering::Relaxed);
    }

    pub fn seen(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

/// Each piece is as late as the one before it: a long answer is not later than a short one.
fn hand_on(mut from: TcpStream, mut to: TcpStream, delay: Duration, seen: &dyn Fn(&[u8])) {
    let (sender, receiver) = channel::<(Instant, Vec<u8>)>();
    let writer = spawn(move || {
        for (at, piece) in receiver {
            sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..read]);
        if sender.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = writer.join();
}
