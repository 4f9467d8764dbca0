//! The program as its users meet it: the real binary, in a folder of its own, against practice, moto's server and real
//! hosts. What a machine cannot run is said loudly and counted as skipped.

mod bad_input;
mod endpoint;
mod headless;
mod stage;
mod terminal;
