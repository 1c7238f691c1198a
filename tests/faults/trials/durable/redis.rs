//! A Redis that has all on disk before it answers (AOF, `appendfsync always`).

use std::thread;
use std::time::Duration;

use kit::Failure;
use peers::Redis;

use super::Log;

const STREAM: &str = "faults";

pub struct OfRedis(Redis);

impl Log for OfRedis {
    const ADAPTER: &'static str = "redis-broker";
    const RESTARTED: &'static str = "its Redis killed at random";

    fn start() -> Result<Self, Failure> {
        Redis::start_kept().map(Self)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("REDIS_ADDRESS", self.0.address().to_string()),
            ("REDIS_PASSWORD", Redis::PASSWORD.to_owned()),
            ("REDIS_STREAM", STREAM.to_owned()),
            ("REDIS_CLAIM_IDLE", "3s".to_owned()),
        ]
    }

    fn restart(&mut self, pause: Duration) -> Result<(), Failure> {
        self.0.end();
        thread::sleep(pause);
        self.0.restart()
    }

    fn left(&self) -> Result<(u64, u64), Failure> {
        let groups = self.0.ask(&["XINFO", "GROUPS", STREAM])?;
        let number = |name: &str| groups[0][name].as_u64().ok_or_else(|| format!("no {name} in {groups}"));
        Ok((number("lag")?, number("pending")?))
    }
}
