//! Waiting for `/readyz` of a component.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// The pause between two looks: short at first, since most components need a few milliseconds.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Ends when the component on that port says it is ready.
pub async fn until_ready(port: u16) {
    let mut pause = PAUSES.0;
    while !timeout(Duration::from_secs(1), is_ready(port))
        .await
        .is_ok_and(|answer| answer.is_ok_and(|yes| yes))
    {
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn is_ready(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    Ok(&status == b"HTTP/1.1 200")
}
