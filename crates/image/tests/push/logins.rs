//! Who one is.

use karma_image::{Credentials, Password, Registry, RegistryError, RegistryOptions};

use crate::server::{Login, Server, Ways, What};
use crate::{one, options, push_one};

/// `AWS:open-sesame`
const RIGHT: &str = "Basic QVdTOm9wZW4tc2VzYW1l";

fn registry(server: &Server, password: Option<&str>) -> Registry {
    let credentials = match password {
        None => Credentials::Anonymous,
        Some(password) => Credentials::Basic {
            username: "AWS".to_owned(),
            password: Password::new(password),
        },
    };
    let options = RegistryOptions {
        credentials,
        ..options(server)
    };
    Registry::new(options).unwrap()
}

async fn server(login: Login) -> Server {
    let ways = Ways {
        login,
        ..Ways::default()
    };
    Server::start(ways).await
}

async fn check_unauthorized(server: &Server, password: Option<&str>, said: &str) {
    let (images, image) = one(5500);
    let error = push_one(&images.layout(), image, "a", &registry(server, password))
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error:?}");
    let whole = format!("the registry {} does not accept {said}", server.host());
    assert!(error.to_string().starts_with(&whole), "{error}");
    let secret = password.unwrap_or("open-sesame");
    assert!(
        !format!("{error:?} {error} {:?}", error.hint()).contains(secret),
        "{error:?}"
    );
    assert!(server.is_empty());
}

async fn check_accepted(server: &Server) {
    let (images, image) = one(5500);
    push_one(&images.layout(), image, "a", &registry(server, Some("open-sesame")))
        .await
        .unwrap();
    assert_eq!(server.tag("a", "1"), Some(image));
}

#[tokio::test]
async fn a_password_is_said_when_it_is_asked_for_and_then_right_away() {
    let server = server(Login::Basic(RIGHT)).await;
    check_accepted(&server).await;
    let said = server.authorizations();
    assert_eq!(said[0], None);
    assert!(said[1..].iter().all(|said| said.as_deref() == Some(RIGHT)), "{said:?}");
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    for login in [
        Login::Basic(RIGHT),
        Login::Token {
            password: RIGHT,
            uses: 9,
        },
    ] {
        let server = server(login).await;
        check_unauthorized(&server, Some("let-me-in"), "the credentials of `AWS`").await;
        check_unauthorized(&server, None, "requests without credentials").await;
    }
}

#[tokio::test]
async fn a_token_is_taken_for_the_password_and_another_when_it_is_spent() {
    let server = server(Login::Token {
        password: RIGHT,
        uses: 3,
    })
    .await;
    check_accepted(&server).await;
    let log = server.log();
    let tokens = log.iter().filter(|line| *line == "GET /token").count();
    assert!((3..10).contains(&tokens), "{log:?}");
    // The password went nowhere else.
    let said = server.authorizations();
    for (line, said) in log.iter().zip(said) {
        assert_eq!(line == "GET /token", said.as_deref() == Some(RIGHT), "{line}");
    }
}

#[tokio::test]
async fn who_may_not_is_told_in_the_registrys_words() {
    let server = server(Login::Nobody).await;
    let denied = r#"{"errors":[{"code":"DENIED","message":"not authorized to perform: ecr:InitiateLayerUpload"}]}"#;
    server.fail("POST", 100, What::Answer(403, Vec::new(), denied));
    let (images, image) = one(10);
    let error = push_one(&images.layout(), image, "a", &registry(&server, Some("x")))
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("(DENIED: not authorized to perform: ecr:InitiateLayerUpload)"),
        "{error}"
    );
    // It is not asked again.
    assert_eq!(crate::count(&server.log(), "POST"), 2);
}

#[tokio::test]
async fn a_challenge_that_nobody_understands_is_a_refusal() {
    let server = server(Login::Nobody).await;
    for challenge in ["Negotiate", "", "Bearer", "Bearer realm=\"nowhere\""] {
        let headers = vec![("WWW-Authenticate", challenge.to_owned())];
        server.fail("HEAD", 1, What::Answer(401, headers, ""));
        let (images, image) = one(10);
        let error = push_one(&images.layout(), image, "a", &registry(&server, Some("x")))
            .await
            .unwrap_err();
        let expected = matches!(
            error,
            RegistryError::Unauthorized { .. } | RegistryError::NotARegistry { .. }
        );
        assert!(expected, "{challenge}: {error:?}");
    }
}
