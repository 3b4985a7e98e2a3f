//! `karma demo` with the project's own stack and the five real agents: what it tells is what has happened.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use karma_e2e::chain::number;
use karma_e2e::karma::{StackCopy, request, wait_until};
use karma_e2e::{npm, skip};
use serde_json::{Value, json};

/// Whose calls go to whom, in the order of the story.
const STORY: [(&str, &[(&str, &str)]); 14] = [
    ("karma-hello", &[]),
    ("abracadabra", &[]),
    ("karma-hello", &[]),
    ("abracadabra", &[]),
    ("abracadabra", &[("abracadabra", "karma-hello")]),
    ("skill-extractor", &[("skill-extractor", "karma-hello")]),
    ("voice-extractor", &[("voice-extractor", "karma-hello")]),
    ("skill-extractor", &[("skill-extractor", "karma-hello")]),
    ("voice-extractor", &[("voice-extractor", "karma-hello")]),
    ("skill-extractor", &[("skill-extractor", "karma-hello")]),
    ("voice-extractor", &[("voice-extractor", "karma-hello")]),
    ("validator", &[]),
    ("validator", &[]),
    ("validator", &[]),
];

/// A key that nobody has given anything to: thirty-two ones.
const POOR: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

fn wait_for_agents(stack: &StackCopy) {
    stack.wait_for("healthy agents", |status| {
        let services = status["services"].as_array();
        services.is_some_and(|services| services.iter().all(|service| service["health"] == "healthy"))
    });
}

fn calls(story: &Value) -> Vec<&Value> {
    let chapters = story["chapters"].as_array().expect("a story has chapters");
    let calls = chapters.iter().filter_map(|chapter| chapter["calls"].as_array());
    calls.flatten().collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value:#}"))
}

/// Who was asked, and who asked whom among the services for it, in however many pages.
fn way(story: &Value) -> Vec<(&str, Vec<(&str, &str)>)> {
    calls(story).into_iter().map(way_of).collect()
}

fn way_of(call: &Value) -> (&str, Vec<(&str, &str)>) {
    let between = call["between"].as_array();
    let between = between.unwrap_or_else(|| panic!("the trace is not known: {call:#}"));
    let pairs = between.iter().map(|asked| (text(asked, "from"), text(asked, "to")));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.dedup();
    (text(call, "to"), pairs)
}

fn amount(value: &Value) -> i128 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Who has how much more than before, says the story call by call.
fn changes(story: &Value) -> BTreeMap<String, i128> {
    let mut changes = BTreeMap::new();
    let mut pay = |from: &str, to: &str, paid: &Value| {
        *changes.entry(from.to_owned()).or_default() -= amount(&paid["amount"]);
        *changes.entry(to.to_owned()).or_default() += amount(&paid["amount"]);
    };
    for call in calls(story) {
        pay("you", text(call, "to"), &call["paid"]);
        for asked in call["between"].as_array().into_iter().flatten() {
            assert!(amount(&asked["paid"]["amount"]) > 0, "{asked:#}");
            pay(text(asked, "from"), text(asked, "to"), &asked["paid"]);
        }
    }
    changes
}

/// What each payment went over by.
fn transactions(story: &Value) -> Vec<&str> {
    let between = calls(story)
        .into_iter()
        .filter_map(|call| call["between"].as_array())
        .flatten();
    let asked = calls(story).into_iter().chain(between);
    asked
        .filter_map(|asked| asked["paid"]["transaction"].as_str())
        .collect()
}

/// What an account holds, as the chain itself says.
fn balance(stack: &StackCopy, account: &str) -> i128 {
    let settings = fs::read_to_string(stack.path().join(".karma/chain.env")).expect("the visitor has an account");
    let setting = |name: &str| {
        let line = settings
            .lines()
            .find_map(|line| line.strip_prefix(&format!("export {name}='")));
        line.unwrap_or_else(|| panic!("no {name}"))
            .trim_end_matches('\'')
            .to_owned()
    };
    let url = setting("CHAIN_RPC_URL");
    let port = url
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    // balanceOf(address)
    let call = json!({ "to": setting("TOKEN_ADDRESS"), "data": format!("0x70a08231{:0>64}", &account[2..]) });
    let question = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"] });
    let reply = request(port.expect("a port"), "POST", "/", &question.to_string()).expect("anvil answers");
    i128::try_from(number(text(&reply.json(), "result"))).expect("nobody holds so much")
}

#[test]
fn with_a_chain_the_story_is_what_the_chain_says() {
    let test = "with_a_chain_the_story_is_what_the_chain_says";
    let anvil = match npm::modules() {
        Ok(modules) => modules.join(".bin"),
        Err(reason) => return skip(test, &reason),
    };
    let stack = StackCopy::new();
    let _up = stack.up_with_path(&["--chain"], &anvil);
    wait_for_agents(&stack);

    let answer = stack.run(&["demo", "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let story: Value = serde_json::from_str(&answer.stdout).expect("one document");
    assert_eq!(
        (&story["outcome"], &story["currency"]["symbol"]),
        (&json!("done"), &json!("GLUE"))
    );
    assert_eq!(way(&story), STORY.map(|(to, between)| (to, between.to_vec())));
    assert!(calls(&story).iter().all(|call| call["status"] == 200), "{story:#}");

    // A transaction for each payment: 2 for the data, 6 for the profiles, 3 for the verdicts, and one for each page among the agents.
    let pages: usize = calls(&story)
        .iter()
        .map(|call| call["between"].as_array().map_or(0, Vec::len))
        .sum();
    let mut transactions = transactions(&story);
    transactions.sort_unstable();
    transactions.dedup();
    assert!(pages >= 7, "{story:#}");
    assert_eq!(transactions.len(), 11 + pages, "{story:#}");
    let changes = changes(&story);
    assert!(changes["you"] < 0 && changes.values().sum::<i128>() == 0, "{changes:?}");
    let accounts = story["accounts"].as_array().expect("everybody's");
    assert_eq!(accounts.len(), 6);
    for account in accounts {
        let name = text(account, "name");
        let (before, after) = (amount(&account["before"]), amount(&account["after"]));
        assert_eq!(after - before, changes[name], "{name}: {story:#}");
        assert_eq!(balance(&stack, text(account, "account")), after, "{name}: {story:#}");
    }
    told_for_people(&stack);
    nobody_pays_with_an_empty_purse(&stack);
}

fn told_for_people(stack: &StackCopy) {
    let answer = stack.run(&["demo"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{answer:?}");
    let story = &answer.stdout;
    for line in [
        " 3  you → karma-hello: the chat of that stream",
        "    52 messages by 10 people, 10 of them questions",
        "    └ skill-extractor → karma-hello: /get_chat_logs",
        "    Deployment 0.571, ECS 0.5, Terraform 0.5, from 24 messages",
        "    It claims 52 messages and holds 26.",
        "14 calls of yours, ",
        "ACCOUNT ",
    ] {
        assert!(story.lines().any(|it| it.starts_with(line)), "{line}: {story}");
    }
    assert!(
        !story.contains('\u{1b}') && !story.contains("not sampled") && !story.contains("not known"),
        "{story}"
    );
    let widest = story.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{story}");
}

fn nobody_pays_with_an_empty_purse(stack: &StackCopy) {
    let file = stack.path().join(".karma/chain.env");
    let settings = fs::read_to_string(&file).expect("the visitor has an account");
    let poor = settings.lines().map(|line| {
        if line.starts_with("export PRIVATE_KEY=") {
            format!("export PRIVATE_KEY='{POOR}'\n")
        } else {
            format!("{line}\n")
        }
    });
    fs::write(&file, poor.collect::<String>()).expect("it can be written");
    let answer = stack.run(&["demo"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(
        answer.stderr.contains("which would pay, holds nothing") && answer.stderr.contains("hint: `karma down`"),
        "{answer:?}"
    );
    assert!(
        !answer.stderr.contains(&POOR[2..]) && !answer.stdout.contains(&POOR[2..]),
        "the key is shown"
    );
    fs::remove_file(&file).expect("it is there");
    let answer = stack.run(&["demo"]);
    assert!(
        answer.code == Some(1) && answer.stderr.contains("there is no account to pay them from"),
        "{answer:?}"
    );
}

#[test]
fn without_a_chain_it_is_the_same_story_for_nothing() {
    let stack = StackCopy::new();
    let _up = stack.up(&[]);
    wait_for_agents(&stack);
    let answer = stack.run(&["demo", "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let story: Value = serde_json::from_str(&answer.stdout).expect("one document");
    assert_eq!(way(&story), STORY.map(|(to, between)| (to, between.to_vec())));
    assert!(
        transactions(&story).is_empty() && story["currency"].is_null(),
        "{story:#}"
    );

    interrupted(&stack);

    stack.write("karma.toml", "");
    let answer = stack.run(&["demo"]);
    assert!(
        answer.code == Some(2) && answer.stderr.contains("hint: write `run = "),
        "{answer:?}"
    );
    stack.write("karma.toml", "[demo]\nrun = [\"nowhere\"]");
    let answer = stack.run(&["demo"]);
    assert!(
        answer.code == Some(2) && answer.stderr.contains("hint: `karma up` builds it"),
        "{answer:?}"
    );
    stack.write("karma.toml", "[demo]\nrun = [\"/bin/echo\"]");
    let answer = stack.run(&["demo"]);
    assert!(
        answer.code == Some(2) && answer.stderr.contains("does not tell what it should"),
        "{answer:?}"
    );
}

/// Ctrl-C as soon as the story has begun.
fn interrupted(stack: &StackCopy) {
    let mut child = stack
        .command(&["demo"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("karma can be started");
    let mut stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut first = String::new();
    stdout.read_line(&mut first).expect("it begins");
    let kill = Command::new("kill")
        .args(["-s", "INT", &child.id().to_string()])
        .status();
    assert!(kill.is_ok_and(|status| status.success()));
    let status = wait_until("karma demo to end", || child.try_wait().expect("it is our child"));
    let mut said = String::new();
    let stderr = child.stderr.as_mut().expect("it was asked for");
    stderr.read_to_string(&mut said).expect("it is text");
    assert!(
        status.code() == Some(1) && said.contains("error: interrupted"),
        "{status}: {said}"
    );
}

#[test]
fn a_stack_that_lacks_an_agent_is_told_which() {
    let stack = StackCopy::new();
    stack.write(
        "fewer.auto.tfvars",
        "agents = {\n  validator = { port = 9001, priority = 100 }\n  abracadabra = { port = 9003, priority = 300 }\n}\n",
    );
    let _up = stack.up(&[]);
    wait_for_agents(&stack);
    let answer = stack.run(&["demo"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(
        answer
            .stderr
            .contains("error: the story needs karma-hello, and http://"),
        "{answer:?}"
    );
    assert!(
        answer.stderr.contains("hint: `karma status` shows what runs"),
        "{answer:?}"
    );
}
