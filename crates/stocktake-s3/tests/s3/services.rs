//! Keys from services: each asked as its documentation says, by a server in this process.

use super::*;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::Mutex,
};
use stocktake_s3::{KeySource, Surroundings};

/// Answers by a function of the request's first line, its headers in lower case, and its body.
struct Service {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn start(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut text, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    if let Some((name, value)) = line.split_once(": ").filter(|_| !text.is_empty()) {
                        if name.eq_ignore_ascii_case("content-length") {
                            length = value.trim().parse().unwrap();
                        }
                        line = format!("{}: {value}", name.to_ascii_lowercase());
                    }
                    text += &line;
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                text += &String::from_utf8(body).unwrap();
                let (status, reply) = answer(&text);
                log.lock().unwrap().push(text);
                let head =
                    format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", reply.len());
                // A client that has gone has what it wanted.
                let _ = stream.write_all((head + &reply).as_bytes());
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

const STS: &str = "<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><AssumeRoleResult><AssumedRoleUser>\
    <Arn>a</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>hidden/+</SecretAccessKey>\
    <SessionToken>t&amp;</SessionToken><Expiration>2999-11-22T01:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

const GIVEN: &str = "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"hidden/+\",\"Token\":\"t&\",\"Expiration\":\"2999-11-22T01:00:00Z\"}";

/// Keys as these variables and this file of configurations have them.
fn fetched(variables: &[(&str, &str)], config: &str) -> Result<Arc<dyn KeySource>, String> {
    let variable = |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
    let file = |path: &str| path.ends_with("config").then(|| config.to_owned());
    let found = Surroundings::find(None, &variable, &file)?;
    found.keys.ok_or("no keys")?.fetched(&found.services, &|_| Err("no process".to_owned()))
}

/// Lists a bucket by the keys; returns the keys and the token by which its requests were signed.
fn signed_by(keys: Arc<dyn KeySource>) -> (String, String) {
    let server = server(false, 100);
    server.store().put("b", "k", b"1");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    server.faults().choose(move |request, _| {
        let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
        sees.lock().unwrap().push((header("authorization"), header("x-amz-security-token")));
        None
    });
    let mut settings = settings(&server);
    (settings.credentials, settings.key_source) = (None, Some(keys));
    let source = stocktake_s3::S3Source::new(client_with(settings), "", Versions::Current);
    assert_eq!(rows(&source, Versions::Current, FieldSet::REQUIRED).unwrap().len(), 1);
    let (authorization, token) = seen.lock().unwrap()[0].clone();
    let id = authorization.split_once("Credential=").unwrap().1.split('/').next().unwrap().to_owned();
    (id, token)
}

fn of_service() -> (String, String) {
    ("ASIA".to_owned(), "t&".to_owned())
}

#[test]
fn a_web_identity_shows_its_token_and_is_asked_again_with_a_new_one() {
    let service = Service::start(|_| (200, STS.to_owned()));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "first/token\n").unwrap();
    let path = file.path().to_str().unwrap();
    let variables = [
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path),
        ("AWS_ENDPOINT_URL_STS", &service.url),
        ("AWS_ROLE_SESSION_NAME", "me"),
    ];
    let keys = fetched(&variables, "").unwrap();
    assert_eq!(signed_by(Arc::clone(&keys)), of_service());
    std::fs::write(file.path(), "second").unwrap();
    keys.fetch().unwrap();
    let asked = service.asked();
    let form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&WebIdentityToken=";
    assert!(asked[0].starts_with("POST / ") && asked[0].ends_with(&format!("{form}first%2Ftoken")), "{asked:?}");
    assert!(asked[1].ends_with(&format!("{form}second")), "{asked:?}");
    assert!(!asked[0].contains("authorization:"), "{asked:?}");
    let lost = [variables[0], ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"), variables[2]];
    assert!(fetched(&lost, "").unwrap_err().contains("/nowhere cannot be read"));
}

#[test]
fn a_role_is_assumed_by_the_keys_of_another_profile() {
    let service = Service::start(|_| (200, STS.to_owned()));
    let config = "[default]\nrole_arn = R\nsource_profile = base\nexternal_id = x y\nregion = eu-west-1\n\
        [profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\naws_session_token = own\n";
    let keys = fetched(&[("AWS_ENDPOINT_URL_STS", &service.url)], config).unwrap();
    assert_eq!(signed_by(keys), of_service());
    let asked = service.asked();
    assert_eq!(asked.len(), 1, "what was fetched before the first request is used for it");
    assert!(asked[0].contains("Credential=BASE/") && asked[0].contains("/eu-west-1/sts/aws4_request"), "{asked:?}");
    assert!(asked[0].contains("x-amz-security-token: own\r\n"), "{asked:?}");
    assert!(asked[0].ends_with("&RoleArn=R&RoleSessionName=stocktake&ExternalId=x%20y"), "{asked:?}");
    let refusing = Service::start(|_| {
        let error =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not yours</Message></Error></ErrorResponse>";
        (403, error.to_owned())
    });
    let fault = fetched(&[("AWS_ENDPOINT_URL_STS", &refusing.url)], config).unwrap_err();
    assert_eq!(fault, "the role R cannot be assumed: 403 AccessDenied not yours");
}

#[test]
fn a_container_shows_the_token_of_its_file() {
    let service = Service::start(|asked| match asked.contains("authorization: pod\r\n") {
        true => (200, GIVEN.to_owned()),
        false => (401, "{\"code\":\"NoToken\",\"message\":\"who are you\"}".to_owned()),
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "pod\n").unwrap();
    let url = format!("{}/v1/credentials?x=1", service.url);
    let uri = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url);
    let token = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.path().to_str().unwrap());
    assert_eq!(signed_by(fetched(&[uri, token], "").unwrap()), of_service());
    assert!(service.asked()[0].starts_with("GET /v1/credentials?x=1 "));
    assert_eq!(signed_by(fetched(&[uri, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod")], "").unwrap()), of_service());
    let fault = fetched(&[uri], "").unwrap_err();
    assert!(fault.ends_with(": 401 NoToken who are you"), "{fault}");
}

#[test]
fn a_machine_is_asked_within_a_session() {
    let service = Service::start(|asked| {
        let in_session = asked.contains("x-aws-ec2-metadata-token: session\r\n");
        let first = asked.lines().next().unwrap_or_default();
        match first {
            "PUT /latest/api/token HTTP/1.1" if asked.contains("x-aws-ec2-metadata-token-ttl-seconds: ") => {
                (200, "session".into())
            }
            "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1" if in_session => (200, "lister\n".into()),
            "GET /latest/meta-data/iam/security-credentials/lister HTTP/1.1" if in_session => (200, GIVEN.into()),
            _ => (401, String::new()),
        }
    });
    let endpoint = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*service.url);
    assert_eq!(signed_by(fetched(&[endpoint], "").unwrap()), of_service());
    let without_role =
        Service::start(|asked| if asked.starts_with("PUT") { (200, "s".into()) } else { (404, String::new()) });
    let fault = fetched(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &without_role.url)], "").unwrap_err();
    assert!(fault.starts_with("the machine gives no keys at http://127.0.0.1:") && fault.ends_with(": 404"), "{fault}");
}

#[test]
fn a_single_sign_on_is_asked_by_the_token_that_is_kept_until_it_runs_out() {
    let reply = "{\"roleCredentials\":{\"accessKeyId\":\"ASIA\",\"secretAccessKey\":\"hidden/+\",\"sessionToken\":\"t&\",\"expiration\":32469901200000}}";
    let service = Service::start(move |_| (200, reply.to_owned()));
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let config = "[default]\nsso_session = corp\nsso_account_id = 12\nsso_role_name = a b\n[sso-session corp]\nsso_region = eu-west-1\n";
    let fetched =
        || fetched(&[("HOME", home.path().to_str().unwrap()), ("AWS_ENDPOINT_URL_SSO", &service.url)], config);
    assert!(fetched().unwrap_err().contains("nobody has signed on; run `aws sso login`"));
    // The name is SHA-1 of the session's.
    let file = cache.join("ee0bfd2552fbd840c02cc48b6e823320543c450f.json");
    let keep = |expires_at: &str| {
        let text = format!("{{\"accessToken\":\"bearer\",\"expiresAt\":\"{expires_at}\",\"startUrl\":\"u\"}}");
        std::fs::write(&file, text).unwrap();
    };
    keep("2020-01-01T00:00:00Z");
    assert!(fetched().unwrap_err().contains("the sign-on has run out; run `aws sso login`"));
    keep("2999-01-01T00:00:00UTC");
    assert_eq!(signed_by(fetched().unwrap()), of_service());
    let asked = service.asked();
    assert!(asked[0].starts_with("GET /federation/credentials?role_name=a%20b&account_id=12 "), "{asked:?}");
    assert!(asked[0].contains("x-amz-sso_bearer_token: bearer\r\n"), "{asked:?}");
}

#[test]
fn a_bucket_in_another_region_is_asked_for_there() {
    let mut options = ServerOptions::default();
    options.region = Some("eu-south-1".into());
    let server = S3Server::start(options).unwrap();
    (0..3).for_each(|n| drop(server.store().put("b", &format!("k{n}"), b"1").clone()));
    let source = stocktake_s3::S3Source::new(client(&server), "", Versions::Current);
    assert_eq!(rows(&source, Versions::Current, FieldSet::REQUIRED).unwrap().len(), 3);
    let turned_away = server.turned_away();
    assert_eq!(turned_away, 1, "the first request alone is turned away");
}
