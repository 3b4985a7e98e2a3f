use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_smithy_mocks::mock;

use super::*;
use crate::orchestrator::tests::scope;
use crate::testing::answering;

const MINUTE: Duration = Duration::from_mins(1);

fn query() -> MetricQuery {
    MetricQuery {
        metrics: Vec::new(),
        namespace: None,
        service: None,
        since: Duration::from_mins(15),
        period: MINUTE,
    }
}

fn cpu(service: &str) -> MetricId {
    MetricId::new(
        "AWS/ECS",
        "CPUUtilization",
        [("ClusterName", "main"), ("ServiceName", service)],
    )
}

fn requests(balancer: &str, group: &str) -> MetricId {
    MetricId::new(
        "AWS/ApplicationELB",
        "RequestCount",
        [("LoadBalancer", balancer), ("TargetGroup", group)],
    )
}

#[test]
fn only_what_may_be_the_stacks_is_listed() {
    let check = |namespace: Option<&str>, expected: &[&str]| {
        let query = MetricQuery {
            namespace: namespace.map(str::to_owned),
            ..query()
        };
        let asked = questions(&scope(&["api"]), &query);
        let asked: Vec<_> = asked
            .iter()
            .map(|one| format!("{} {}", one.namespace, one.cluster.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(asked, expected);
    };
    check(
        None,
        &[
            "AWS/ECS main",
            "ECS/ContainerInsights main",
            "AWS/ApplicationELB -",
            "Main/Logs -",
        ],
    );
    check(Some("AWS/ECS"), &["AWS/ECS main"]);
    check(Some("Mine"), &["Mine -"]);
}

#[test]
fn dimensions_tell_whose_a_metric_is() {
    let check = |metric: MetricId, expected: Option<&str>| {
        let scope = scope(&["api", "web"]);
        let found = wanted(&scope, &[metric], &query());
        assert_eq!(found.first().map(|one| one.service.as_deref()), expected.map(Some));
    };
    check(cpu("main-web"), Some("web"));
    check(
        requests("app/main/50dc6c495c0c9188", "targetgroup/tg-api/73e2d6bc24d8a067"),
        Some("api"),
    );
    check(
        requests("app/foreign/50dc6c495c0c9188", "targetgroup/tg-api/73e2d6bc24d8a067"),
        None,
    );
}

#[test]
fn a_service_and_a_statistic_can_be_asked_for() {
    let scope = scope(&["api", "web"]);
    let listed = [cpu("main-api"), cpu("main-web")];
    let query = MetricQuery {
        service: Some("web".to_owned()),
        metrics: vec![MetricSelection::new("CPUUtilization", Statistic::Maximum)],
        ..query()
    };
    let found = wanted(&scope, &listed, &query);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].service.as_deref(), found[0].statistic),
        (Some("web"), Statistic::Maximum)
    );
}

#[tokio::test]
async fn values_come_in_pages_and_are_put_in_order() {
    let page = |seconds: i64, value: f64, next: Option<&'static str>| {
        move || {
            let result = MetricDataResult::builder()
                .id("m0")
                .timestamps(DateTime::from_secs(seconds))
                .values(value);
            GetMetricDataOutput::builder()
                .metric_data_results(result.build())
                .set_next_token(next.map(str::to_owned))
                .build()
        }
    };
    let first = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .match_requests(|asked| asked.next_token().is_none())
        .then_output(page(120, 20.0, Some("more")));
    let second = mock!(aws_sdk_cloudwatch::Client::get_metric_data)
        .match_requests(|asked| asked.next_token().is_some())
        .then_output(page(60, 10.0, None));
    let client = answering!(aws_sdk_cloudwatch, [&first, &second]);
    let wanted = wanted(&scope(&["api"]), &[cpu("main-api")], &query());
    let window = Window::of(&query(), Timestamp::from_second(150).unwrap());
    assert_eq!((window.from.as_second(), window.to.as_second()), (-780, 180));
    let series = series(&client, &wanted, window).await.unwrap();
    let values: Vec<f64> = series[0].datapoints.iter().map(|datapoint| datapoint.value).collect();
    assert_eq!(values, [10.0, 20.0]);
}
