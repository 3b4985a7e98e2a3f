//! Clients of services that answer from a list, for tests.

/// A client of a service (`aws_sdk_ecs`) that answers by these rules, each wherever it fits. It tries once.
macro_rules! answering {
    ($service:ident, $rules:expr) => {{
        let interceptor =
            aws_smithy_mocks::MockResponseInterceptor::new().rule_mode(aws_smithy_mocks::RuleMode::MatchAny);
        let interceptor = $rules.into_iter().fold(interceptor, |all, rule| all.with_rule(rule));
        let configuration = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .region($service::config::Region::new("us-east-1"))
            .credentials_provider($service::config::Credentials::new(
                "AKIDEXAMPLE",
                "secret",
                None,
                None,
                "test",
            ))
            .retry_config($service::config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_mocks::create_mock_http_client())
            .interceptor(interceptor);
        $service::Client::from_conf(configuration.build())
    }};
}

pub(crate) use answering;
