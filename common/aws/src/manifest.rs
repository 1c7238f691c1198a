//! The part of a spec that all kinds of AWS have: `auth`.

use common::{Field, info::joined};

/// What `auth` holds. The roles of service accounts are bound by the cluster.
const AUTH: [Field; 6] = [
    Field::new("auth.credentials.accessKeyID", "AWS_ACCESS_KEY_ID").secret(),
    Field::new("auth.credentials.secretAccessKey", "AWS_SECRET_ACCESS_KEY").secret(),
    Field::new("auth.credentials.sessionToken", "AWS_SESSION_TOKEN").secret(),
    Field::new("auth.credentials.assumeIamRole", "AWS_ASSUME_ROLE_ARN"),
    Field::cluster("auth.iam.roleArn"),
    Field::cluster("auth.iam.serviceAccount"),
];

/// A kind's own fields with those of `auth` behind them: `ALL` is six more than `OWN`.
#[must_use]
pub const fn fields<const OWN: usize, const ALL: usize>(own: [Field; OWN]) -> [Field; ALL] {
    joined(own, AUTH)
}
