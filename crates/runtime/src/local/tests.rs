//! Containers, settled for this machine.

use karma_fleet::{
    AppProtocol, ContainerHealthCheck, DependencyCondition, EnvironmentValue, ImageReference, PortMapping,
    SecretReference,
};

use super::*;

fn container() -> Container {
    Container {
        name: "validator".to_owned(),
        image: ImageReference {
            repository: "k/validator".to_owned(),
            version: ":1".to_owned(),
        },
        entry_point: None,
        command: None,
        essential: true,
        environment: BTreeMap::new(),
        secrets: vec![],
        port_mappings: vec![PortMapping {
            name: Some("http".to_owned()),
            container_port: 9001,
            app_protocol: AppProtocol::Http,
        }],
        health_check: None,
        stop_timeout: Duration::from_secs(30),
        depends_on: vec![],
        start_timeout: None,
        restart_policy: None,
        limits: karma_fleet::ContainerLimits::default(),
        working_directory: None,
        user: None,
        readonly_root_filesystem: false,
        log: None,
        unmodeled: vec![],
    }
}

/// Stands for `/usr/local/bin/agent`, with one argument and one directory beside it.
fn image() -> Program {
    Program {
        program: "/bin/sh".into(),
        image_path: "/usr/local/bin/agent".to_owned(),
        args: vec!["validator".to_owned()],
        files: [("/app/data".to_owned(), "/home/me/data".into())].into(),
    }
}

fn settle_with(
    container: &Container,
    secrets: &LocalSecrets,
    missing_secrets: MissingSecrets,
) -> Result<(LocalContainer, Vec<String>), StartError> {
    let mut settling = Settling {
        fleet: &Fleet::default(),
        secrets,
        missing_secrets,
        notes: vec![],
    };
    let settled = settling.container(container, &image())?;
    Ok((settled, settling.notes))
}

fn settle(container: &Container) -> Result<(LocalContainer, Vec<String>), StartError> {
    settle_with(container, &LocalSecrets::default(), MissingSecrets::Note)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// What is run for an entry point and a command of the definition.
fn check_command(entry_point: Option<&[&str]>, command: Option<&[&str]>, expected: &[&str]) {
    let container = Container {
        entry_point: entry_point.map(words),
        command: command.map(words),
        ..container()
    };
    let settled = settle(&container).unwrap().0;
    let run = [vec![settled.program.display().to_string()], settled.args].concat();
    assert_eq!(run, expected, "{entry_point:?} {command:?}");
}

#[test]
fn entry_point_and_command_replace_the_images_as_oci_has_it() {
    check_command(None, None, &["/bin/sh", "validator"]);
    check_command(
        None,
        Some(&["other", "/app/data/x"]),
        &["/bin/sh", "other", "/home/me/data/x"],
    );
    check_command(Some(&["/usr/local/bin/agent", "-v"]), None, &["/bin/sh", "-v"]);
    check_command(Some(&["/usr/local/bin/agent"]), Some(&["a"]), &["/bin/sh", "a"]);
    check_command(Some(&[]), Some(&["a"]), &["/bin/sh", "a"]);
}

#[test]
fn another_program_as_entry_point_is_noted_or_named_as_missing() {
    let mut container = container();
    container.entry_point = Some(words(&["/bin/sh", "-c"]));
    let (settled, notes) = settle(&container).unwrap();
    assert_eq!(settled.program, Path::new("/bin/sh"));
    assert!(notes[0].contains("is started with /bin/sh"), "{notes:?}");

    container.entry_point = Some(words(&["/no/such/program"]));
    let error = settle(&container).unwrap_err();
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}

#[test]
fn health_checks_are_mapped_and_malformed_ones_refused() {
    let check = |command: &[&str]| {
        let mut container = container();
        container.health_check = Some(ContainerHealthCheck {
            command: words(command),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            retries: 3,
            start_period: Duration::ZERO,
        });
        let settled = settle(&container).ok()?.0.health_check?;
        Some([vec![settled.program], settled.args].concat())
    };
    assert_eq!(
        check(&["CMD", "/usr/local/bin/agent", "health"]),
        Some(words(&["/bin/sh", "health"]))
    );
    assert_eq!(
        check(&["CMD-SHELL", "/usr/local/bin/agent health || exit 1"]),
        Some(words(&["/bin/sh", "-c", "/bin/sh health || exit 1"]))
    );
    assert_eq!(check(&["curl", "-f", "http://localhost"]), None);
    assert_eq!(check(&[]), None);
}

#[test]
fn variables_decided_by_aws_are_noted_and_left_out() {
    let mut container = container();
    let known = EnvironmentValue::Known("/app/data".to_owned());
    let unknown = EnvironmentValue::Unknown("aws_lb.main.dns_name".to_owned());
    container.environment = [("DATA".to_owned(), known), ("URL".to_owned(), unknown)].into();
    let (settled, notes) = settle(&container).unwrap();
    assert_eq!(
        settled.environment,
        [("DATA".to_owned(), "/home/me/data".to_owned())].into()
    );
    assert!(notes[0].starts_with("URL of container `validator`") && notes[0].contains("aws_lb.main.dns_name"));
}

#[test]
fn a_secret_without_a_value_is_a_note_or_an_error() {
    let mut container = container();
    let secret = |name: &str, key: &str| SecretReference {
        name: name.to_owned(),
        secret: None,
        secret_name: "k/validator".to_owned(),
        json_key: Some(key.to_owned()),
    };
    container.secrets = vec![secret("KNOWN", "a"), secret("MISSING", "b")];
    let values = [(("k/validator".to_owned(), Some("a".to_owned())), "hush".to_owned())];
    let secrets = LocalSecrets::new(values.into());

    let (settled, notes) = settle_with(&container, &secrets, MissingSecrets::Note).unwrap();
    assert_eq!(settled.secrets.keys().collect::<Vec<_>>(), ["KNOWN"]);
    assert_eq!(notes.len(), 1, "one line per secret");
    assert!(
        notes[0].contains("k/validator:b") && notes[0].contains("MISSING"),
        "{notes:?}"
    );
    assert!(!format!("{settled:?}").contains("hush"));

    let error = settle_with(&container, &secrets, MissingSecrets::Refuse).unwrap_err();
    assert!(matches!(error, StartError::MissingSecret { .. }), "{error}");
}

#[test]
fn an_image_without_a_program_is_an_error_with_the_entry_to_write() {
    let error = program(&container(), &Programs::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no program is known for image k/validator:1 of container `validator`"
    );
    assert!(error.hint().unwrap().contains("[image.\"k/validator\"]"));

    let mut image = image();
    image.program = "/no/such/file".into();
    let error = program(&container(), &[("k/validator".to_owned(), image)].into()).unwrap_err();
    assert!(error.to_string().ends_with("is not there: /no/such/file"), "{error}");
}

#[test]
fn dependencies_that_can_never_be_met_are_refused() {
    let depending = |name: &str, on: &[&str]| Container {
        name: name.to_owned(),
        depends_on: on
            .iter()
            .map(|&name| ContainerDependency {
                container_name: name.to_owned(),
                condition: DependencyCondition::Start,
            })
            .collect(),
        ..container()
    };
    let check = |containers: &[Container], expected: Option<&str>| {
        let error = check_dependencies("family", containers)
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.as_deref().and_then(|error| error.rsplit(": ").next()), expected);
    };
    check(
        &[depending("a", &["b"]), depending("b", &["c"]), depending("c", &[])],
        None,
    );
    check(
        &[depending("a", &["b"]), depending("b", &["a"]), depending("c", &[])],
        Some("a, b"),
    );
    check(&[depending("a", &["nobody"])], Some("a"));
}

#[test]
fn an_image_that_is_run_itself_keeps_its_paths_and_the_stacks_own_are_not_fetched() {
    let container = Container {
        command: Some(words(&["/usr/local/bin/agent"])),
        user: Some("app".to_owned()),
        health_check: Some(ContainerHealthCheck {
            command: words(&["CMD-SHELL", "/usr/local/bin/agent health || exit 1"]),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            retries: 3,
            start_period: Duration::ZERO,
        }),
        ..container()
    };
    let mut fleet = Fleet::default();
    let settle = |fleet: &Fleet| {
        let mut settling = Settling {
            fleet,
            secrets: &LocalSecrets::default(),
            missing_secrets: MissingSecrets::Note,
            notes: vec![],
        };
        let settled = settling.image(&container).unwrap();
        assert_eq!(settling.notes, Vec::<String>::new());
        settled
    };
    let settled = settle(&fleet);
    let run = settled.image_run.unwrap();
    assert_eq!((run.command, run.pull), (container.command.clone(), Pull::WhenAbsent));
    assert_eq!(run.user.as_deref(), Some("app"));
    assert_eq!(
        settled.health_check.unwrap().args,
        ["-c", "/usr/local/bin/agent health || exit 1"]
    );
    let address = Address {
        module: vec![],
        mode: karma_fleet::Mode::Managed,
        kind: "aws_ecr_repository".to_owned(),
        name: "validator".to_owned(),
        key: None,
    };
    let repository = karma_fleet::Repository {
        name: "k/validator".to_owned(),
        declared_at: karma_fleet::Span {
            file: "main.tf".into(),
            start: 0,
            end: 0,
        },
    };
    fleet.repositories.insert(address, repository);
    assert_eq!(settle(&fleet).image_run.unwrap().pull, Pull::Never);
}

#[test]
fn what_a_variable_names_below_the_state_can_be_written() {
    let check = |value: &str, expected: &[&str]| {
        let container = Container {
            environment: [("STORE_URL".to_owned(), EnvironmentValue::Known(value.to_owned()))].into(),
            ..container()
        };
        let directories = settle(&container)
            .unwrap()
            .0
            .directories_of_state(Path::new("/r/.karma"));
        assert!(
            directories
                .iter()
                .map(PathBuf::as_path)
                .eq(expected.iter().map(Path::new)),
            "{value}: {directories:?}"
        );
    };
    check("file:///r/.karma/store", &["/r/.karma/store"]);
    check("/r/.karma/a/b", &["/r/.karma/a/b"]);
    for other in [
        "file:///r/.karma",
        "file:///r/.karma/../etc",
        "/r/.karma/a/../../x",
        "/r/.karmas/store",
        "s3://bucket",
        "/",
    ] {
        check(other, &[]);
    }
}
