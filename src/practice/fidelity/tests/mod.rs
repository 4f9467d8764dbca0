//! Rows of AWS behaviour, driven through the real SDK.
