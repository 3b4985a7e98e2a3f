//! What is read of a directory, and files that are not read as Terraform.

#![expect(clippy::disallowed_methods, reason = "the test writes what is read")]

use std::path::Path;

use karma_terraform::{Inputs, Provider, Sources, evaluate, parse, read};

fn write(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().expect("a file stands in a directory")).expect("a writable directory");
    std::fs::write(path, bytes).expect("a writable directory");
}

#[test]
fn reads_text_below_the_directory_and_modules_beside_it() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reading");
    write(
        &root,
        "stack/main.tf",
        "\u{feff}module \"b\" {\n  source = \"../beside\"\n}\n",
    );
    write(&root, "stack/files/a.txt", "a");
    write(&root, "stack/.terraform/modules/x.tf", "skipped");
    write(&root, "stack/target/x.tf", "skipped");
    write(&root, "stack/picture.bin", [0xff, 0xfe]);
    write(&root, "stack/large.txt", vec![b' '; (1 << 20) + 1]);
    write(
        &root,
        "beside/main.tf",
        "module \"c\" {\n  source = \"../further\"\n}\n",
    );
    write(&root, "further/main.tf", "output \"d\" {\n  value = path.module\n}\n");
    write(&root, "unrelated/main.tf", "skipped");
    let sources = read(&root.join("stack")).expect("the directory is there");
    let paths: Vec<&str> = sources.iter().map(|(path, _)| path.as_ref()).collect();
    assert_eq!(
        paths,
        ["../beside/main.tf", "../further/main.tf", "files/a.txt", "main.tf"]
    );
    let (module, problems) = parse(&sources);
    assert!(problems.is_empty(), "{problems:?}");
    assert!(evaluate(&module, &Inputs::default(), &Provider::default()).1.is_empty());
    assert!(read(&root.join("nowhere")).is_err());
}

#[test]
fn json_syntax_is_refused_and_not_passed_over() {
    let sources = Sources::from_iter([("main.tf.json", "{}")]);
    let (_, problems) = parse(&sources);
    let summaries: Vec<&str> = problems.iter().map(|problem| problem.summary).collect();
    assert_eq!(summaries, ["JSON configuration is not supported"]);
}
