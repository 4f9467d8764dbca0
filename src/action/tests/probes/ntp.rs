//! The time, asked of real chrony daemons, and of a server that is wrong on purpose.

use super::*;

#[tokio::test]
async fn a_time_server_tells_its_time_or_it_is_said_what_is_the_matter() {
    let Some(mut server) = servers::chronyd("local stratum 8") else { return };
    let (world, _output) = world();
    let ask = |more: Json| {
        let mut with = json!({ "server": "127.0.0.1", "port": server.port });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with
    };
    let (good, near) = (ask(json!({})), ask(json!({ "max_stratum": 4 })));
    let found = so(&world, "probe/ntp", good.clone()).await;
    assert_eq!(found.output["stratum"], json!(8));
    assert!(found.output["offset_ms"].as_f64().unwrap() < 1_000.0, "it is the same clock: {found:?}");
    let said = not_so(&world, "probe/ntp", near).await;
    assert!(said.contains("stratum 8"), "{said}");
    server.stop();
    let said = not_so(&world, "probe/ntp", good.clone()).await;
    assert!(said.contains("nothing listens") || said.contains("does not answer"), "{said}");
    server.again();
    so(&world, "probe/ntp", good).await;
}

#[tokio::test]
async fn a_server_without_a_time_of_its_own_is_not_believed() {
    let Some(server) = servers::chronyd("") else { return };
    let (world, _output) = world();
    let with = json!({ "server": "127.0.0.1", "port": server.port });
    for _ in 0..50 {
        if not_so(&world, "probe/ntp", with.clone()).await.contains("not synchronised") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{}", not_so(&world, "probe/ntp", with).await);
}

/// Answers as a server whose clock is so many seconds ahead; RFC 5905, 7.3.
async fn ahead(seconds: u64) -> u16 {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut asked = [0; 48];
        while let Ok((_, who)) = socket.recv_from(&mut asked).await {
            let since_1900 = jiff::Timestamp::now().as_second().cast_unsigned() + 2_208_988_800 + seconds;
            let mut answer = [0; 48];
            answer[..2].copy_from_slice(&[0x24, 1]);
            answer[12..16].copy_from_slice(b"GPS\0");
            answer[24..32].copy_from_slice(&asked[40..48]);
            for at in [32, 40] {
                answer[at..at + 4].copy_from_slice(&u32::try_from(since_1900).unwrap().to_be_bytes());
            }
            socket.send_to(&answer, who).await.unwrap();
        }
    });
    port
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_is_said_with_how_far() {
    let (world, _output) = world();
    let port = ahead(90).await;
    let said = not_so(&world, "probe/ntp", json!({ "server": "127.0.0.1", "port": port })).await;
    assert!(said.contains("ahead of this machine's clock") && said.contains(" s "), "{said}");
    let wide = json!({ "server": "127.0.0.1", "port": port, "max_offset_ms": 200_000 });
    let found = so(&world, "probe/ntp", wide).await;
    assert!(found.output["offset_ms"].as_f64().unwrap() > 80_000.0, "{found:?}");
    assert!(found.said.contains("GPS"), "{found:?}");
}
