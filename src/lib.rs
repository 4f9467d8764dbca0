//! onramp: a runbook you walk in a terminal. The rooms, in reading order; what each may use is on its door plate.

pub mod text;

pub mod input;

pub mod runbook;

pub mod engagement;

pub mod journal;

pub mod ssh;

pub mod aws;

pub mod net;

pub mod action;

pub mod engine;

pub mod ui;

#[cfg(feature = "practice")]
pub mod practice;

pub mod cli;
