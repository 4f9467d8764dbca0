//! The whole UI on a test backend: a person's keys go in, panes and wishes come out.

mod adopt;
mod board;
mod commands;
mod diagnosis;
mod drift;
mod edition;
mod form;
mod form_beside;
mod form_pages;
mod home;
mod login;
mod looks;
mod output;
mod plan;
mod popups;
mod secrets;
mod session;
mod sizes;
mod stage;
mod undo;
mod waiting;
