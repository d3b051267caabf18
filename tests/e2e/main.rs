//! End to end: the binary as users run it, against files and S3 servers, its
//! tables read back by DuckDB, pyarrow and Spark.
//!
//! Needs Python 3.11 or later (see `harness/python.rs`) and, for Spark, Java 17
//! or later.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails where it unwraps")]

mod again;
mod bad_input;
mod bad_job;
mod bad_target;
mod benchmarks;
mod blips;
mod cli;
mod columns;
mod damage;
mod failures;
mod faults;
mod flights;
mod footers;
mod guessed_values;
mod guesses;
mod hangs;
mod harness;
mod harness_tests;
mod header_names;
mod iam;
mod incremental;
mod infer_cases;
mod interrupt;
mod keys;
mod kills;
mod messages;
mod moving_inputs;
mod names_and_paths;
mod not_csv;
mod not_data;
mod outputs;
mod overwrite;
mod places;
mod previews;
mod promote;
mod proxy_tests;
mod quality;
mod quotes;
mod readers;
mod rejects;
mod removals;
mod requests;
mod security;
mod separator_lines;
mod small_files;
mod spark;
mod steps;
mod stores;
mod together;
mod unanswered;
mod unknown_files;
mod values;
mod wide;
mod wording;
mod writer;
