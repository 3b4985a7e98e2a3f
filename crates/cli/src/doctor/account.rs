//! Who asks AWS, and where.

use super::check::Check;
use super::seen::{Account, Seen};

pub(super) fn check(region_of_stack: Option<&str>, seen: &Seen) -> Vec<Check> {
    vec![
        credentials(&seen.account),
        region(region_of_stack, seen.region.as_deref()),
    ]
}

fn credentials(account: &Account) -> Check {
    let name = "credentials";
    match account {
        Account::Known(known) => {
            let identity = &known.identity;
            Check::ok(name, format!("account {}, {}", identity.account, identity.arn))
        }
        Account::Unknown { why, mend } => {
            let mend = mend.as_deref().unwrap_or("aws sts get-caller-identity");
            Check::missing(name, why, mend)
        }
    }
}

/// A stack for one region and calls in another see nothing of each other.
fn region(of_stack: Option<&str>, asked: Option<&str>) -> Check {
    let name = "region";
    match (of_stack, asked) {
        (_, None) => Check::missing(name, "no AWS region is given", "--region REGION, or AWS_REGION"),
        (Some(stack), Some(asked)) if stack != asked => Check::missing(
            name,
            format!("the stack is for {stack}, and AWS is asked in {asked}"),
            format!("--region {stack}"),
        ),
        (_, Some(asked)) => Check::ok(name, asked),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[track_caller]
    fn check_region(of_stack: Option<&str>, asked: Option<&str>, verdict: Verdict) {
        assert_eq!(region(of_stack, asked).verdict, verdict);
    }

    #[test]
    fn the_region_is_that_of_the_stack() {
        check_region(Some("us-east-1"), Some("us-east-1"), Verdict::Ok);
        check_region(None, Some("us-east-1"), Verdict::Ok);
        check_region(Some("us-east-1"), Some("eu-west-1"), Verdict::Missing);
        check_region(Some("us-east-1"), None, Verdict::Missing);
    }

    #[test]
    fn without_credentials_it_is_said_why_and_what_to_do() {
        let account = Account::Unknown {
            why: "the AWS credentials have expired".to_owned(),
            mend: Some("log in again".to_owned()),
        };
        let check = credentials(&account);
        assert!(check.is_missing());
        assert_eq!(
            (check.finding.as_str(), check.mend.as_deref()),
            ("the AWS credentials have expired", Some("log in again"))
        );
    }
}
