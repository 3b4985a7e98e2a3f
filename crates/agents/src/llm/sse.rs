//! Reading a stream of server-sent events: bytes in, the data of each event out.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

/// The longest event, in bytes. A server that never ends one must not fill the memory.
const LONGEST: usize = 256 * 1024;

/// What has come of the event that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct EventStream {
    line: Vec<u8>,
    data: Option<String>,
    /// The last byte was a carriage return, which a line feed may follow.
    after_return: bool,
    begun: bool,
}

/// An event has no end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl EventStream {
    /// Takes the next bytes, wherever they were cut; gives the data of the events that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let follows_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > LONGEST {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// An empty line ends an event; one without data is none.
    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = if std::mem::replace(&mut self.begun, true) {
            &*line
        } else {
            line.strip_prefix('\u{FEFF}').unwrap_or(&line)
        };
        if line.is_empty() {
            return self.data.take();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            self.add_data(value.strip_prefix(' ').unwrap_or(value));
        }
        None
    }

    fn add_data(&mut self, value: &str) {
        match &mut self.data {
            None => self.data = Some(value.to_owned()),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::fuzz;

    fn check(stream: &str, expected: &[&str]) {
        assert_eq!(
            EventStream::default().push(stream.as_bytes()).unwrap(),
            expected,
            "{stream:?}"
        );
    }

    #[test]
    fn events_are_their_data() {
        check("data: a\n\ndata:b\n\n", &["a", "b"]);
        check("data: a\r\ndata:  b\r\rdata: c\r\n\r\n", &["a\n b", "c"]);
        check(": comment\nevent: x\nid: 1\ndata\n\n", &[""]);
        check("\u{FEFF}data: a\n\n", &["a"]);
        check("event: ping\n\n", &[]);
        check("data: never ended", &[]);
        check("\n\n\n", &[]);
    }

    #[test]
    fn an_endless_event_is_given_up() {
        let mut stream = EventStream::default();
        assert_eq!(stream.push(&vec![b'x'; LONGEST + 1]), Err(TooLong));
        let mut stream = EventStream::default();
        let lines = "data: x\n".repeat(LONGEST);
        assert_eq!(stream.push(lines.as_bytes()), Err(TooLong));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_does_not_matter(
            lines in proptest::collection::vec(("(data|event|:|data:|data: |)", "[a-zñ🔥:]{0,5}", "(\n|\r|\r\n)"), 0..20),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text: String = lines.into_iter().map(|(field, value, end)| [field, value, end].concat()).collect();
            let whole = EventStream::default().push(text.as_bytes()).unwrap();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut stream = EventStream::default();
            let mut pieces = Vec::new();
            for pair in cuts.windows(2) {
                pieces.extend(stream.push(&text.as_bytes()[pair[0]..pair[1]]).unwrap());
            }
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = EventStream::default().push(&bytes);
        }

        #[test]
        fn what_is_written_is_read(events in proptest::collection::vec("[a-z ñ🔥\n]{0,12}", 0..8)) {
            let text: String = events.iter().map(|event| {
                let lines: String = event.split('\n').map(|line| ["data: ", line, "\n"].concat()).collect();
                lines + "\n"
            }).collect();
            prop_assert_eq!(EventStream::default().push(text.as_bytes()).unwrap(), events);
        }
    }

    #[test]
    fn no_changed_stream_breaks_it() {
        let examples = [
            "data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
            ": ping\r\nevent: x\r\nid: 1\r\ndata: a\r\n\r\n",
        ];
        fuzz(&examples, |bytes| drop(EventStream::default().push(bytes)));
    }
}
