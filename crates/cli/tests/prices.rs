//! `karma prices`: what there is, and what is read from files of AWS's format, on a disk and from a server.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::{Value, json};
use support::{karma, stack};

const STACK: &str = "provider \"aws\" { region = \"eu-west-1\" }\nresource \"aws_secretsmanager_secret\" \"this\" {}\n";

/// An offer file with one product in `eu-west-1`, as
/// [AWS writes it](https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-an-offer.html).
fn offer(code: &str, family: &str, usage_type: &str, usd: &str) -> Value {
    json!({
        "formatVersion": "v1.0",
        "offerCode": code,
        "publicationDate": "2026-11-02T00:00:00Z",
        "products": { "SKU1": {
            "sku": "SKU1",
            "productFamily": family,
            "attributes": { "servicecode": code, "usagetype": usage_type, "regionCode": "eu-west-1", "operation": "" },
        } },
        "terms": { "OnDemand": { "SKU1": { "SKU1.JRTCKXETXF": {
            "offerTermCode": "JRTCKXETXF",
            "sku": "SKU1",
            "priceDimensions": { "SKU1.JRTCKXETXF.6YS6EN2CT7": {
                "beginRange": "0", "endRange": "Inf", "unit": "x", "pricePerUnit": { "USD": usd },
            } },
        } } } },
    })
}

fn spot_feed(usd: &str) -> Value {
    json!({ "prices": [
        { "unit": "vCPU-Hours", "price": { "USD": usd }, "attributes": { "aws:region": "eu-west-1" } },
    ] })
}

/// A directory with two of AWS's files under AWS's paths, and a stack.
fn lists() -> tempfile::TempDir {
    let directory = stack(&[("main.tf", STACK)]);
    let secrets = offer(
        "AWSSecretsManager",
        "Secret",
        "EU-AWSSecretsManager-Secrets",
        "0.7500000000",
    );
    write(&offer_path(directory.path(), "AWSSecretsManager"), &secrets.to_string());
    write(
        &directory.path().join("lists/fargate-spot-prices.json"),
        &spot_feed("0.012").to_string(),
    );
    directory
}

fn offer_path(directory: &Path, code: &str) -> PathBuf {
    directory.join(format!("lists/offers/v1.0/aws/{code}/current/eu-west-1/index.json"))
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_regions_with_prices_are_shown() {
    let directory = stack(&[]);
    let answer = karma(directory.path(), &["prices", "show"]);
    assert!(
        answer.starts_with("exit: 0") && answer.matches("-1 ").count() >= 6,
        "{answer}"
    );
    let one = karma(directory.path(), &["prices", "show", "us-east-1"]);
    assert!(one.contains("nat_gateway") && one.contains("https://"), "{one}");
    let none = karma(directory.path(), &["prices", "show", "mars-north-1"]);
    assert!(
        none.starts_with("exit: 2") && none.contains("karma prices refresh mars-north-1"),
        "{none}"
    );
}

#[test]
fn what_the_lists_say_is_on_the_next_bill() {
    let directory = lists();
    let answer = karma(
        directory.path(),
        &[
            "prices",
            "refresh",
            "eu-west-1",
            "--from",
            "lists",
            "-o",
            "new.csv",
            "-v",
        ],
    );
    assert!(answer.starts_with("exit: 0\n--- stdout\n---"), "{answer}");
    assert!(
        answer.contains("2 of ") && answer.contains("2 are others than came with this program"),
        "{answer}"
    );
    assert!(
        answer.contains("AmazonECS/current/eu-west-1/index.json is not there"),
        "{answer}"
    );
    let total = |arguments: &[&str]| {
        let answer = karma(directory.path(), &[&["cost", "--format", "csv"], arguments].concat());
        assert!(answer.starts_with("exit: 0"), "{answer}");
        answer
            .lines()
            .find(|line| line.starts_with("total,"))
            .unwrap()
            .to_owned()
    };
    assert!(total(&[]).contains(",0.4,"), "{}", total(&[]));
    let refreshed = total(&["--prices", "new.csv"]);
    assert!(refreshed.contains(",0.75,"), "{refreshed}");
    let book = fs::read_to_string(directory.path().join("new.csv")).unwrap();
    assert!(
        book.contains("2026-11-02,https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AWSSecretsManager/"),
        "{book}"
    );
    let shown = karma(
        directory.path(),
        &["prices", "show", "eu-west-1", "--prices", "new.csv", "--json"],
    );
    assert!(shown.contains("\"2026-11-02\""), "{shown}");
}

#[test]
fn a_region_that_did_not_come_with_the_program_has_what_was_read() {
    let directory = lists();
    let offer = fs::read_to_string(offer_path(directory.path(), "AWSSecretsManager")).unwrap();
    let path = offer_path(directory.path(), "AWSSecretsManager").display().to_string();
    write(
        Path::new(&path.replace("eu-west-1", "eu-south-2")),
        &offer.replace("eu-west-1", "eu-south-2").replace("EU-", "EUS2-"),
    );
    let answer = karma(
        directory.path(),
        &["prices", "refresh", "eu-south-2", "--from", "lists", "-q"],
    );
    assert!(
        answer.contains("# region: eu-south-2\n") && answer.contains("secret"),
        "{answer}"
    );
    assert_eq!(
        answer.lines().filter(|line| line.contains(",2026-11-02,")).count(),
        1,
        "{answer}"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_takes_nothing_away() {
    let directory = lists();
    write(
        &offer_path(directory.path(), "AmazonECS"),
        "{\"publicationDate\": \"2026",
    );
    let refresh = ["prices", "refresh", "eu-west-1", "--from", "lists", "-o", "new.csv"];
    let answer = karma(directory.path(), &refresh);
    assert!(
        answer.starts_with("exit: 0")
            && answer.contains("AmazonECS/current/eu-west-1/index.json: this is not one of AWS's price lists"),
        "{answer}"
    );
    let before = fs::read_to_string(directory.path().join("new.csv")).unwrap();
    fs::remove_dir_all(directory.path().join("lists")).unwrap();
    let answer = karma(directory.path(), &refresh);
    assert!(
        answer.starts_with("exit: 2") && answer.contains("no prices of eu-west-1 could be read"),
        "{answer}"
    );
    assert_eq!(fs::read_to_string(directory.path().join("new.csv")).unwrap(), before);
}

#[test]
fn a_server_is_asked_for_the_same_paths() {
    let directory = lists();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let root = directory.path().join("lists");
    thread::spawn(move || {
        for connection in listener.incoming() {
            let root = root.clone();
            thread::spawn(move || answer(&connection.unwrap(), &root));
        }
    });
    let refresh = |from: &str| {
        karma(
            directory.path(),
            &["prices", "refresh", "eu-west-1", "--from", from, "-q"],
        )
    };
    let (of_server, of_directory) = (refresh(&address), refresh("lists"));
    assert!(
        of_server.starts_with("exit: 0") && of_server.contains(",0.75,"),
        "{of_server}"
    );
    let books = [&of_server, &of_directory].map(|answer| answer.split("--- stderr").next().unwrap().to_owned());
    assert_eq!(books[0], books[1]);
}

/// Answers one request with a file below the root.
fn answer(mut connection: &TcpStream, root: &Path) {
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    let request = lines.next().unwrap();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1).unwrap().trim_start_matches('/');
    let (status, body) = fs::read(root.join(path)).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(&[head.as_bytes(), &body].concat()).unwrap();
}
