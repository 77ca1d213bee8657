//! Real NATS servers: that of Debian (2.9) and a current one. Looking sees everything that is permitted and changes nothing.

mod auth;
mod broker;
mod domain;
mod history;
mod jwt;
mod look;
mod looking;
mod losses;
mod permissions;
mod publish;
mod searching;
mod tls;
