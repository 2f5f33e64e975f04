use super::*;
use crate::clients::Clients;
use crate::config::FetchConfig;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
#[cfg(target_os = "linux")]
use tokio::net::{TcpSocket, TcpStream};
use url::Url;

async fn answer(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere").await;
    }
}

/// Sends a request to a server whose name has these addresses.
async fn get(addresses: [IpAddr; 2], port: u16) -> String {
    let clients = Clients::new(FetchConfig::default());
    let addresses = addresses.map(|address| (address, 0).into()).to_vec();
    clients.resolver.entry("registry.example").set(addresses).unwrap();
    let url = Url::parse(&format!("http://registry.example:{port}/")).unwrap();
    let request =
        clients.for_url(&url, false).await.unwrap().get(url).timeout(Duration::from_secs(20));
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn an_address_that_refuses_does_not_keep_from_the_next() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(answer(listener));
    assert_eq!(get([Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()], port).await, "here");
}

/// The first address accepts no connections and never answers, as behind a firewall; the other
/// family is tried meanwhile. Linux leaves such connections waiting; other systems refuse them.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_is_silent_does_not_hold_up_the_other_family() {
    let silent = TcpSocket::new_v6().unwrap();
    silent.bind((Ipv6Addr::LOCALHOST, 0).into()).unwrap();
    let port = silent.local_addr().unwrap().port();
    let silent = silent.listen(1).unwrap();
    // Fill the accept queue until a connection is left waiting.
    let mut fillers = Vec::new();
    while let Ok(filler) = tokio::time::timeout(
        Duration::from_millis(200),
        TcpStream::connect((Ipv6Addr::LOCALHOST, port)),
    )
    .await
    {
        fillers.push(filler.unwrap());
        assert!(fillers.len() < 100, "the queue never fills");
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    tokio::spawn(answer(listener));
    assert_eq!(get([Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()], port).await, "here");
    drop(silent);
}
