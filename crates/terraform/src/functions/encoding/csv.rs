//! CSV as Go reads it: <https://www.rfc-editor.org/rfc/rfc4180>, with line feeds allowed and empty lines skipped.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use crate::{Object, Value};

/// A list of objects with the columns of the first line as attributes.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let mut reader = Reader {
        characters: text.chars().peekable(),
        line: 1,
    };
    let header = reader.record()?.ok_or("missing header line")?.fields;
    let mut seen = BTreeSet::new();
    if let Some(twice) = header.iter().find(|name| !seen.insert(*name)) {
        return Err(format!("duplicate column name {twice:?}"));
    }
    let mut rows = Vec::new();
    while let Some(record) = reader.record()? {
        if record.fields.len() != header.len() {
            return Err(parse_error(record.line, "wrong number of fields"));
        }
        let fields = record.fields.into_iter().map(Value::String);
        rows.push(Value::Object(header.iter().cloned().zip(fields).collect::<Object>()));
    }
    Ok(Value::List(rows))
}

fn parse_error(line: usize, reason: &str) -> String {
    format!("CSV parse error on line {line}: {reason}")
}

struct Reader<'a> {
    characters: Peekable<Chars<'a>>,
    line: usize,
}

/// One line, or several where a quoted field spans them.
struct Record {
    line: usize,
    fields: Vec<String>,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Option<Record>, String> {
        while self.line_end() {}
        if self.characters.peek().is_none() {
            return Ok(None);
        }
        let (line, mut fields) = (self.line, Vec::new());
        loop {
            fields.push(if self.accept('"') { self.quoted()? } else { self.bare()? });
            if !self.accept(',') {
                self.line_end();
                return Ok(Some(Record { line, fields }));
            }
        }
    }

    fn bare(&mut self) -> Result<String, String> {
        let mut field = String::new();
        while let Some(character) = self.characters.next_if(|next| !matches!(next, ',' | '\n')) {
            if character == '"' {
                return Err(parse_error(self.line, "bare \" in non-quoted-field"));
            }
            field.push(character);
        }
        // A carriage return before the line feed belongs to the line's end.
        if self.characters.peek() != Some(&',') && field.ends_with('\r') {
            field.pop();
        }
        Ok(field)
    }

    fn quoted(&mut self) -> Result<String, String> {
        const MISPLACED: &str = "extraneous or missing \" in quoted-field";
        let mut field = String::new();
        loop {
            match self.characters.next() {
                Some('"') if self.accept('"') => field.push('"'),
                Some('"') => break,
                Some(character) => {
                    self.line += usize::from(character == '\n');
                    field.push(character);
                }
                None => return Err(parse_error(self.line, MISPLACED)),
            }
        }
        self.accept('\r');
        match self.characters.peek() {
            None | Some(',' | '\n') => Ok(field),
            Some(_) => Err(parse_error(self.line, MISPLACED)),
        }
    }

    fn accept(&mut self, wanted: char) -> bool {
        self.characters.next_if_eq(&wanted).is_some()
    }

    fn line_end(&mut self) -> bool {
        let mut ahead = self.characters.clone();
        if ahead.peek() == Some(&'\r') {
            ahead.next();
        }
        let found = ahead.next() == Some('\n');
        if found {
            self.characters = ahead;
            self.line += 1;
        }
        found
    }
}
