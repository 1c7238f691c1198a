//! Where positions are kept, read from a URL. No message repeats any part of it.

use std::path::PathBuf;

use ::redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use common::http::Roots;
use url::Url;

/// A store by its URL.
pub enum Place {
    Folder(PathBuf),
    Objects(Bucket),
    Redis(Server),
}

/// A folder of a bucket.
pub struct Bucket {
    pub name: String,
    pub prefix: String,
    /// Key id and secret key.
    pub credentials: Option<(String, String)>,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub roots: Roots,
}

/// A Redis server and a name space in it.
pub struct Server {
    pub host: String,
    pub port: u16,
    /// What is trusted, where TLS is spoken.
    pub tls: Option<Roots>,
    pub settings: RedisConnectionInfo,
    pub prefix: String,
}

impl Place {
    /// Reads the URL.
    ///
    /// # Errors
    /// The end of a sentence whose subject is the variable.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "must be a URL such as s3://bucket/prefix, rediss://host:6379 or file:///folder";
        let mut url = Url::parse(text.trim()).map_err(|_| expected.to_owned())?;
        let mut options = Options::take(&mut url)?;
        let place = match url.scheme() {
            "file" => Self::Folder(url.to_file_path().map_err(|()| expected.to_owned())?),
            "s3" => Self::Objects(bucket(&url, &mut options).ok_or(expected)?),
            "redis" | "rediss" => Self::Redis(server(&mut url, &mut options).ok_or(expected)?),
            _ => return Err(expected.to_owned()),
        };
        options.end().map(|()| place)
    }
}

/// What stands behind the question mark.
struct Options(Vec<(String, String)>);

impl Options {
    fn take(url: &mut Url) -> Result<Self, String> {
        let options: Vec<_> = url.query_pairs().into_owned().collect();
        url.set_query(None);
        match options
            .iter()
            .find(|(name, _)| !["ca", "endpoint", "prefix", "region"].contains(&name.as_str()))
        {
            Some(_) => Err("must have no other options than ca, endpoint, prefix and region".to_owned()),
            None => Ok(Self(options)),
        }
    }

    fn get(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    /// Certificates that are trusted instead of those of the system.
    fn roots(&mut self) -> Option<Roots> {
        match self.get("ca") {
            None => Some(Roots::Process),
            Some(path) => Some(Roots::Only(std::fs::read_to_string(path).ok()?)),
        }
    }

    fn end(&self) -> Result<(), String> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("has the option {name}, which means nothing for such a store")),
        }
    }
}

fn bucket(url: &Url, options: &mut Options) -> Option<Bucket> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(String::from);
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (id, key) => Some((decode(id)?, decode(key?)?)),
    };
    Some(Bucket {
        name: url.host_str().filter(|host| !host.is_empty())?.to_owned(),
        prefix: decode(url.path())?.trim_matches('/').to_owned(),
        credentials,
        endpoint: options.get("endpoint"),
        region: options.get("region"),
        roots: options.roots()?,
    })
}

fn server(url: &mut Url, options: &mut Options) -> Option<Server> {
    let tls = match url.scheme() {
        "rediss" => Some(options.roots()?),
        _ => None,
    };
    // The connection is made here, with the trust of the process: to the library all are plain.
    let plain = url.as_str().replacen("rediss:", "redis:", 1);
    let info = plain.as_str().into_connection_info().ok()?;
    let ConnectionAddr::Tcp(host, port) = info.addr() else { return None };
    Some(Server {
        host: host.clone(),
        port: *port,
        tls,
        settings: info.redis_settings().clone(),
        prefix: options.get("prefix").unwrap_or_else(|| "trestle".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_stores() {
        let Ok(Place::Objects(bucket)) =
            Place::parse("s3://id:se%2Fcret@positions/a/b/?endpoint=http://127.0.0.1:1&region=x")
        else {
            panic!("no bucket")
        };
        assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("positions", "a/b"));
        assert_eq!(bucket.credentials, Some(("id".to_owned(), "se/cret".to_owned())));
        assert_eq!(
            (bucket.endpoint.as_deref(), bucket.region.as_deref()),
            (Some("http://127.0.0.1:1"), Some("x"))
        );

        let Ok(Place::Redis(server)) = Place::parse("rediss://me:pw@h:7000/3?prefix=p") else {
            panic!("no server")
        };
        assert_eq!((server.host.as_str(), server.port, server.prefix.as_str()), ("h", 7000, "p"));
        assert_eq!((server.settings.db(), server.settings.username()), (3, Some("me")));
        assert!(server.tls.is_some());
        assert!(matches!(Place::parse("redis://h"), Ok(Place::Redis(Server { port: 6379, tls: None, .. }))));
        assert!(
            matches!(Place::parse("file:///a/b"), Ok(Place::Folder(path)) if path == std::path::Path::new("/a/b"))
        );
    }

    #[test]
    fn what_names_none_is_refused_without_a_secret() {
        for text in [
            "",
            "hunter2",
            "s3:///hunter2",
            "s3://hunter2@bucket",
            "s3://bucket?hunter2=1",
            "s3://bucket?prefix=hunter2",
            "s3://bucket?ca=/nowhere/hunter2",
            "redis://h?endpoint=hunter2",
            "redis://u:hunter2@h/notanumber",
            "redis+unix:///hunter2",
            "http://u:hunter2@h/",
            "file://hunter2/a",
        ] {
            let problem = Place::parse(text).err().unwrap_or_else(|| panic!("{text} was taken"));
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
