use super::*;
use crate::manifest::{of_attachment, of_image, put};

fn image(layout: &Layout, text: &str) -> Descriptor {
    let config = put(layout, MediaType::ImageConfig, b"{}").unwrap();
    let layer = put(layout, MediaType::ImageLayer, text.as_bytes()).unwrap();
    put(
        layout,
        MediaType::ImageManifest,
        &json::bytes(&of_image(config, vec![layer])),
    )
    .unwrap()
}

fn attached(layout: &Layout, text: &str, image: &Descriptor) -> Descriptor {
    let config = put(layout, MediaType::EmptyJSON, b"{}").unwrap();
    let document = put(layout, MediaType::Other("text/plain".to_owned()), text.as_bytes()).unwrap();
    let manifest = of_attachment(config, document, image.clone());
    put(layout, MediaType::ImageManifest, &json::bytes(&manifest)).unwrap()
}

fn named(mut descriptor: Descriptor, name: &str) -> Descriptor {
    descriptor.set_annotations(Some([(ANNOTATION_REF_NAME.to_owned(), name.to_owned())].into()));
    descriptor
}

#[test]
fn what_is_written_is_read_by_the_next_and_the_rest_is_pruned() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(directory.path()).unwrap();
    let image = image(&layout, "a");
    let bill = attached(&layout, "bill", &image);
    layout.replace(vec![named(image.clone(), "k/a"), bill.clone()]).unwrap();
    let stale = layout.put(b"stale").unwrap();
    let entries = layout.entries(|_| true).unwrap();
    layout.replace(entries).unwrap();
    drop(layout);

    let layout = Layout::open(directory.path()).unwrap();
    assert_eq!(layout.images().keys().collect::<Vec<_>>(), ["k/a"]);
    let digest = layout.digest_of(&image).unwrap();
    assert_eq!(layout.referrers(&digest).unwrap(), [bill]);
    assert_eq!(layout.blob(&Digest::of(b"bill")).unwrap(), b"bill");
    assert!(matches!(layout.blob(&stale), Err(LayoutError::NoBlob { .. })));
}

#[test]
fn an_image_that_is_not_kept_goes_with_what_is_attached_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(directory.path()).unwrap();
    let (a, b) = (image(&layout, "a"), image(&layout, "b"));
    let bill = attached(&layout, "bill of b", &b);
    layout.replace(vec![named(a, "a"), named(b, "b"), bill]).unwrap();
    let entries = layout.entries(|name| name == "a").unwrap();
    layout.replace(entries).unwrap();
    assert_eq!(layout.images().keys().collect::<Vec<_>>(), ["a"]);
    assert!(layout.blob(&Digest::of(b"a")).is_ok());
    for gone in ["b", "bill of b"] {
        assert!(layout.blob(&Digest::of(gone.as_bytes())).is_err(), "{gone}");
    }
}

#[test]
fn a_damaged_blob_is_an_error_to_read_and_mended_by_writing() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    let digest = layout.put(b"whole").unwrap();
    fs::write(layout.blob_path(&digest), b"half").unwrap();
    assert!(matches!(layout.blob(&digest), Err(LayoutError::Damaged { .. })));
    layout.put(b"whole").unwrap();
    assert_eq!(layout.blob(&digest).unwrap(), b"whole");
}

#[test]
fn one_writes_or_several_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert!(matches!(Layout::open(path), Err(LayoutError::Absent { .. })));
    let mut writer = Layout::create(path).unwrap();
    writer.replace(Vec::new()).unwrap();
    assert!(matches!(Layout::open(path), Err(LayoutError::Busy { .. })));
    drop(writer);
    let _readers = [Layout::open(path).unwrap(), Layout::open(path).unwrap()];
    assert!(matches!(Layout::create(path), Err(LayoutError::Busy { .. })));
}
