//! What steps can do, one file a family, one registry.
//!
//! Uses: ssh, aws, journal, engagement, runbook, input, text.
