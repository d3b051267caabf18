//! As much of HTTP/1.1 as S3 and its clients speak: whole messages, held in
//! memory. How a body is framed is between two ends of one connection, so
//! bodies come out plain and go on with a `Content-Length`. The framing of
//! `aws-chunked`, with its trailers, is part of the body and stays.

use std::io::{self, BufRead, ErrorKind, Write};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Headers(Vec<(String, String)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// As on the request line: path and query.
    pub(super) target: String,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Headers {
    pub(super) fn of(pairs: &[(&str, &str)]) -> Headers {
        Headers(pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    fn has(&self, name: &str, word: &str) -> bool {
        self.get(name).is_some_and(|value| value.to_ascii_lowercase().contains(word))
    }

    fn read(from: &mut impl BufRead) -> io::Result<Headers> {
        let mut headers = Vec::new();
        loop {
            let line = line(from)?;
            if line.is_empty() {
                return Ok(Headers(headers));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| bad(&line))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn write(&self, head: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
    }

    /// The body as the headers frame it; `None` if they do not.
    fn body(&mut self, from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
        if self.has("Transfer-Encoding", "chunked") {
            return dechunk(from).map(Some);
        }
        let Some(length) = self.get("Content-Length") else { return Ok(None) };
        let mut body = vec![0; length.parse().map_err(|_| bad(length))?];
        from.read_exact(&mut body)?;
        Ok(Some(body))
    }

    /// Says how a body of this length is framed.
    fn frame(&mut self, length: usize) {
        self.remove("Transfer-Encoding");
        self.remove("Trailer");
        self.set("Content-Length", &length.to_string());
    }
}

impl Request {
    /// The next request of a connection; `None` where it ends. `answers` is its
    /// other half: a client that waits for leave to send its body is given it.
    pub(super) fn read(from: &mut impl BufRead, mut answers: impl Write) -> io::Result<Option<Request>> {
        if from.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let first = line(from)?;
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1")) = (words.next(), words.next(), words.next())
        else {
            return Err(bad(&first));
        };
        let mut headers = Headers::read(from)?;
        if headers.has("Expect", "100-continue") {
            answers.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            headers.remove("Expect");
        }
        let body = headers.body(from)?.unwrap_or_default();
        Ok(Some(Request { method: method.to_owned(), target: target.to_owned(), headers, body }))
    }

    /// Whether the client has no other request for this connection.
    pub(super) fn is_last(&self) -> bool {
        self.headers.has("Connection", "close")
    }

    /// Sends the request as the last of its connection.
    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let mut headers = self.headers.clone();
        headers.set("Connection", "close");
        if !self.body.is_empty() || self.method != "GET" {
            headers.frame(self.body.len());
        }
        let mut message = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        headers.write(&mut message);
        message.extend_from_slice(&self.body);
        to.write_all(&message)
    }
}

impl Response {
    /// The final answer to a request with this method.
    pub(super) fn read(from: &mut impl BufRead, method: &str) -> io::Result<Response> {
        loop {
            let first = line(from)?;
            let status = first.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
            let status = status.ok_or_else(|| bad(&first))?;
            let mut headers = Headers::read(from)?;
            if (100..200).contains(&status) {
                continue;
            }
            let mut body = Vec::new();
            if !bodiless(method, status) {
                match headers.body(from)? {
                    Some(framed) => body = framed,
                    None => drop(from.read_to_end(&mut body)?),
                }
            }
            return Ok(Response { status, headers, body });
        }
    }

    /// Head and body as they go to the client of a request with this method.
    pub(super) fn to_bytes(&self, method: &str) -> (Vec<u8>, &[u8]) {
        let mut headers = self.headers.clone();
        headers.remove("Connection");
        let mut body = self.body.as_slice();
        if bodiless(method, self.status) {
            // A length that stands there already is that of what a GET would get.
            body = &[];
        } else {
            headers.frame(body.len());
        }
        // Clients go by the number; the phrase is for people.
        let mut head = format!("HTTP/1.1 {} Relayed\r\n", self.status).into_bytes();
        headers.write(&mut head);
        (head, body)
    }
}

fn bodiless(method: &str, status: u16) -> bool {
    method == "HEAD" || matches!(status, 204 | 304)
}

fn dechunk(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(from)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(digits, 16).map_err(|_| bad(&size))?;
        if length == 0 {
            // Trailers of the transfer end with an empty line, as headers do.
            Headers::read(from)?;
            return Ok(body);
        }
        let begin = body.len();
        body.resize(begin + length, 0);
        from.read_exact(&mut body[begin..])?;
        line(from)?;
    }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| bad("a head that is not UTF-8"))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("this is not HTTP/1.1: {what:?}"))
}
