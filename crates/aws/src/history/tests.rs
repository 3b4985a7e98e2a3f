use aws_sdk_ecs::operation::list_task_definitions::ListTaskDefinitionsOutput;
use aws_sdk_ecs::types::{ContainerDefinition, Tag, TaskDefinition};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;

use super::*;
use crate::testing::answering;

fn arn(family: &str, revision: u32) -> String {
    format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:{revision}")
}

fn listed(
    status: TaskDefinitionStatus,
    token: Option<&'static str>,
    next: Option<&'static str>,
    arns: Vec<String>,
) -> Rule {
    mock!(Client::list_task_definitions)
        .match_requests(move |asked| asked.status() == Some(&status) && asked.next_token() == token)
        .then_output(move || {
            ListTaskDefinitionsOutput::builder()
                .set_task_definition_arns(Some(arns.clone()))
                .set_next_token(next.map(str::to_owned))
                .build()
        })
}

fn described(revision: i32, status: TaskDefinitionStatus) -> Rule {
    let asked_for = arn("main-a", revision.unsigned_abs());
    mock!(Client::describe_task_definition)
        .match_requests({
            let arn = asked_for.clone();
            move |asked| asked.task_definition() == Some(&arn) && asked.include() == [TaskDefinitionField::Tags]
        })
        .then_output(move || {
            let container = ContainerDefinition::builder()
                .name("a")
                .image(format!("r/k/a@sha256:{revision}"));
            let definition = TaskDefinition::builder()
                .task_definition_arn(&asked_for)
                .revision(revision)
                .status(status.clone())
                .registered_at(DateTime::from_secs(i64::from(revision)))
                .registered_by("arn:aws:iam::123456789012:user/ann")
                .container_definitions(container.build());
            DescribeTaskDefinitionOutput::builder()
                .task_definition(definition.build())
                .tags(Tag::builder().key("Project").value("main").build())
                .build()
        })
}

#[tokio::test]
async fn revisions_of_every_page_and_state_come_the_newest_first() {
    let rules = [
        listed(
            TaskDefinitionStatus::Active,
            None,
            Some("2"),
            vec![arn("main-a", 3), arn("main-a-b", 9)],
        ),
        listed(TaskDefinitionStatus::Active, Some("2"), None, vec![arn("main-a", 1)]),
        listed(TaskDefinitionStatus::Inactive, None, None, vec![arn("main-a", 2)]),
        described(3, TaskDefinitionStatus::Active),
        described(2, TaskDefinitionStatus::Inactive),
        described(1, TaskDefinitionStatus::Active),
    ];
    let client = answering!(aws_sdk_ecs, &rules);
    let all = revisions(&client, "main-a", 10).await.unwrap();
    let numbers: Vec<_> = all.iter().map(|it| (it.revision, it.status)).collect();
    assert_eq!(
        numbers,
        [
            (3, RevisionStatus::Active),
            (2, RevisionStatus::Inactive),
            (1, RevisionStatus::Active)
        ]
    );
    assert_eq!(all[0].images["a"], "r/k/a@sha256:3");
    assert_eq!(all[0].tags["Project"], "main");
    assert_eq!(all[0].registered_at.unwrap().as_second(), 3);
    assert_eq!(newest(&client, "main-a", usize::MAX).await.unwrap().len(), 3);
}

#[tokio::test]
async fn no_more_is_asked_than_is_wanted() {
    let rules = [
        listed(TaskDefinitionStatus::Active, None, Some("2"), vec![arn("main-a", 3)]),
        listed(TaskDefinitionStatus::Inactive, None, Some("2"), vec![arn("main-a", 2)]),
        described(3, TaskDefinitionStatus::Active),
    ];
    let all = revisions(&answering!(aws_sdk_ecs, &rules), "main-a", 1).await.unwrap();
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn a_family_that_ecs_does_not_know_has_no_revisions() {
    let rules = [
        listed(TaskDefinitionStatus::Active, None, None, vec![]),
        listed(TaskDefinitionStatus::Inactive, None, None, vec![]),
    ];
    assert_eq!(
        revisions(&answering!(aws_sdk_ecs, &rules), "main-a", 5).await.unwrap(),
        []
    );
}
