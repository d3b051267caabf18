//! What of a text is not data: how many records and lines of each kind, their
//! bytes, and the first of them.

use serde::{Deserialize, Serialize};

/// Lines of each kind that are kept, with their text.
pub(crate) const KEPT_LINES: usize = 3;

/// Characters of a line that are kept.
const KEPT_CHARACTERS: usize = 80;

/// What of a text is not data, by kind. Line ends count with what they end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NotData {
    /// Records before the data that name no columns: `dialect.skipRecords`.
    #[serde(default, skip_serializing_if = "NotDataKind::is_nothing")]
    pub skipped: NotDataKind,
    /// Records that name the columns.
    #[serde(default, skip_serializing_if = "NotDataKind::is_nothing")]
    pub header: NotDataKind,
    /// Comments: `dialect.commentChar`.
    #[serde(default, skip_serializing_if = "NotDataKind::is_nothing")]
    pub comments: NotDataKind,
    /// Lines without a byte.
    #[serde(default, skip_serializing_if = "NotDataKind::is_nothing")]
    pub blank: NotDataKind,
    /// Records after the data: `dialect.footerRecords`.
    #[serde(default, skip_serializing_if = "NotDataKind::is_nothing")]
    pub footer: NotDataKind,
}

/// Records or lines of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NotDataKind {
    /// How many.
    pub count: u64,
    /// Their bytes in the decoded text.
    pub bytes: u64,
    /// The first of them, three at most; over several inputs, none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<NotDataLine>,
}

/// One record or line that is not data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NotDataLine {
    /// From 1, in the decoded text.
    pub line: u64,
    /// Its first 80 characters; absent with `errors.quarantine_values = false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl NotData {
    /// Each kind with what one of it is called.
    pub fn kinds(&self) -> [(&'static str, &NotDataKind); 5] {
        let NotData { skipped, header, comments, blank, footer } = self;
        [
            ("skipped", skipped),
            ("header", header),
            ("comments", comments),
            ("blank", blank),
            ("footer", footer),
        ]
    }

    /// Whether every byte is data.
    pub fn is_nothing(&self) -> bool {
        self.kinds().iter().all(|(_, kind)| kind.is_nothing())
    }

    /// All its bytes.
    pub fn bytes(&self) -> u64 {
        self.kinds().iter().map(|(_, kind)| kind.bytes).sum()
    }

    /// Adds what other text of the same input has.
    pub fn add(&mut self, other: &NotData) {
        let NotData { skipped, header, comments, blank, footer } = self;
        for (kind, (_, other)) in [skipped, header, comments, blank, footer].into_iter().zip(other.kinds()) {
            kind.count += other.count;
            kind.bytes += other.bytes;
            kind.first.extend_from_slice(&other.first);
            kind.first.sort_by_key(|first| first.line);
            kind.first.truncate(KEPT_LINES);
        }
    }

    /// Adds the counts of another input.
    pub fn add_counts(&mut self, other: &NotData) {
        self.add(other);
        let NotData { skipped, header, comments, blank, footer } = self;
        [skipped, header, comments, blank, footer].into_iter().for_each(|kind| kind.first.clear());
    }
}

impl NotDataKind {
    /// Whether there is none.
    pub fn is_nothing(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn add(&mut self, line: u64, text: &[u8], bytes: usize, keep_text: bool) {
        self.count += 1;
        self.bytes += bytes as u64;
        if self.first.len() < KEPT_LINES {
            let characters = || String::from_utf8_lossy(text).chars().take(KEPT_CHARACTERS).collect();
            self.first.push(NotDataLine { line, text: keep_text.then(characters) });
        }
    }
}
