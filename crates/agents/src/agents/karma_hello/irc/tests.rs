//! The listener against a server of ours.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::chat::ChatQuery;
use crate::settings::Environment;
use crate::store::Store;

/// A server, and a listener that was told of it.
async fn pair() -> (TcpListener, Listener, Archive) {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("irc://{}", server.local_addr().unwrap());
    let lookup = |name: &str| match name {
        "IRC_URL" => Some(url.clone().into()),
        "IRC_CHANNELS" => Some("canal".into()),
        _ => None,
    };
    let settings = IrcSettings::read(&Environment { lookup }).unwrap().unwrap();
    let archive = Archive::open(&Store::open(None, "karma-hello").unwrap(), None).unwrap();
    (server, Listener::new(settings, archive.clone()), archive)
}

/// Reads what a client says first, up to its last word, and welcomes it.
async fn welcome(stream: TcpStream) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(stream);
    let mut greeting = String::new();
    while !greeting.contains("JOIN #canal") {
        stream.read_line(&mut greeting).await.unwrap();
    }
    assert!(greeting.starts_with("CAP REQ :twitch.tv/tags"), "{greeting}");
    say(&mut stream, ":tmi.twitch.tv 001 justinfan73 :Welcome, GLHF!").await;
    stream
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
}

fn message(milliseconds: i64, user: &str, text: &str) -> String {
    let sent = 1_768_240_800_000 + milliseconds;
    format!("@badges=vip/1;display-name={user};tmi-sent-ts={sent} :{user}!u@h PRIVMSG #canal :{text}")
}

/// The texts in the archive, once there are so many.
async fn texts(archive: &Archive, many: usize) -> Vec<String> {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = archive.answer(ChatQuery::default()).await.unwrap();
        if answer.messages.len() >= many {
            return answer
                .messages
                .into_iter()
                .map(|message| message.message.message)
                .collect();
        }
        assert!(
            Instant::now() < patience,
            "{} of {many} messages came",
            answer.messages.len()
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_said_is_kept_and_a_broken_connection_is_made_again() {
    let (server, listener, archive) = pair().await;
    let listening = tokio::spawn(listener.clone().listen());
    let mut stream = welcome(server.accept().await.unwrap().0).await;
    say(&mut stream, "PING :are you there").await;
    let mut pong = String::new();
    stream.read_line(&mut pong).await.unwrap();
    assert_eq!(pong, "PONG :are you there\r\n");
    say(&mut stream, &message(0, "Ana", "hola")).await;
    say(&mut stream, ":luis!l@h JOIN #canal").await;
    say(&mut stream, &message(5, "Luis", "¡buenas!")).await;
    // In the middle of a line the network rests for longer than a batch.
    stream
        .write_all(message(7, "Luis", "en dos ").as_bytes())
        .await
        .unwrap();
    assert_eq!(texts(&archive, 2).await, ["hola", "¡buenas!"]);
    say(&mut stream, "partes").await;
    assert_eq!(texts(&archive, 3).await[2], "en dos partes");
    assert_eq!(*listener.state.lock().unwrap(), Ok(()));
    drop(stream);

    // The second connection repeats a message, as another task would: it is known.
    let mut stream = welcome(server.accept().await.unwrap().0).await;
    say(&mut stream, &message(5, "Luis", "¡buenas!")).await;
    say(&mut stream, &message(9, "Ana", "sigo aquí")).await;
    assert_eq!(texts(&archive, 4).await.len(), 4);
    let streams = archive.streams().await.unwrap();
    assert_eq!(streams[0].stream.stream_id, "twitch_canal_20260112");
    assert_eq!(streams[0].messages, 4);
    listening.abort();
}

#[tokio::test]
async fn an_endless_line_ends_the_connection() {
    let (server, listener, _archive) = pair().await;
    let listening = tokio::spawn(async move { listener.connect().await });
    let mut stream = welcome(server.accept().await.unwrap().0).await;
    let _ = stream.write_all(&[b'x'; 9000]).await;
    assert_eq!(listening.await.unwrap().unwrap_err().to_string(), "a line has no end");
}

#[tokio::test]
async fn a_refused_password_is_told() {
    let (server, listener, _archive) = pair().await;
    let listening = tokio::spawn(async move { listener.connect().await });
    let mut stream = welcome(server.accept().await.unwrap().0).await;
    say(&mut stream, ":tmi.twitch.tv NOTICE * :Login authentication failed").await;
    let error = listening.await.unwrap().unwrap_err().to_string();
    assert_eq!(error, "the server refuses IRC_NICK and IRC_PASSWORD");
}
