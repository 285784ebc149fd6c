//! Both forms of the document, what is refused, and pages.

use super::*;
use crate::error::S3ErrorCode;

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<InventoryConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Id>report1</Id>
  <IsEnabled>true</IsEnabled>
  <!-- a remark -->
  <Filter><Prefix>a &amp; b/&#x1;&#13; </Prefix></Filter>
  <Destination><S3BucketDestination>
    <Format>ORC</Format>
    <AccountId>123456789012</AccountId>
    <Bucket>arn:aws:s3:::destination-bucket</Bucket>
    <Prefix>prefix1/</Prefix>
    <Encryption><SSE-KMS><KeyId>arn:aws:kms:eu-west-1:123456789012:key/k</KeyId></SSE-KMS></Encryption>
  </S3BucketDestination></Destination>
  <Schedule><Frequency>Weekly</Frequency></Schedule>
  <IncludedObjectVersions>All</IncludedObjectVersions>
  <OptionalFields><Field>Size</Field><Field>FutureField</Field><Field>ETag</Field></OptionalFields>
</InventoryConfiguration>
"#;

const JSON: &str = r#"{"Destination":{"S3BucketDestination":{"AccountId":"123456789012",
  "Bucket":"arn:aws:s3:::destination-bucket","Format":"ORC","Prefix":"prefix1/",
  "Encryption":{"SSEKMS":{"KeyId":"arn:aws:kms:eu-west-1:123456789012:key/k"}}}},
  "IsEnabled":true,"Filter":{"Prefix":"a & b/\u0001\r "},"Id":"report1","IncludedObjectVersions":"All",
  "OptionalFields":["Size","FutureField","ETag"],"Schedule":{"Frequency":"Weekly"}}"#;

fn refused(text: &str) -> S3Error {
    let error = InventoryConfiguration::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.code(), S3ErrorCode::MalformedXml);
    error
}

#[test]
fn both_forms_say_the_same() {
    let xml = InventoryConfiguration::parse(XML.as_bytes()).unwrap();
    let json = InventoryConfiguration::parse(JSON.as_bytes()).unwrap();
    assert_eq!(xml, json);
    assert_eq!(xml.filter_prefix.as_deref(), Some("a & b/\u{1}\r "));
    assert_eq!(xml.destination.prefix.as_deref(), Some("prefix1/"));
    let fields: Vec<_> = xml.optional_fields.as_ref().unwrap().iter().map(OptionalField::name).collect();
    assert_eq!(fields, ["Size", "FutureField", "ETag"]);
    assert_eq!(InventoryConfiguration::parse(xml.to_xml().as_bytes()).unwrap(), xml);
    assert_eq!(InventoryConfiguration::parse(xml.to_json().as_bytes()).unwrap(), xml);
}

#[test]
fn the_least_document_is_read_and_written() {
    let least = InventoryConfiguration::new(
        "x",
        InventoryDestination::new("arn:aws:s3:::b", FileFormat::Csv),
        Frequency::Daily,
    );
    assert_eq!(
        least.to_xml(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InventoryConfiguration \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Id>x</Id><IsEnabled>true</IsEnabled><Destination>\
         <S3BucketDestination><Format>CSV</Format><Bucket>arn:aws:s3:::b</Bucket></S3BucketDestination></Destination>\
         <Schedule><Frequency>Daily</Frequency></Schedule><IncludedObjectVersions>Current</IncludedObjectVersions>\
         </InventoryConfiguration>"
    );
    assert_eq!(InventoryConfiguration::parse(least.to_xml().as_bytes()).unwrap(), least);
    let wrapped = format!("{{\"InventoryConfiguration\":{}}}", least.to_json());
    assert_eq!(InventoryConfiguration::parse(wrapped.as_bytes()).unwrap(), least);
}

#[test]
fn what_may_be_absent_or_empty_is_told_apart() {
    let mut configuration = InventoryConfiguration::parse(XML.as_bytes()).unwrap();
    for (fields, filter, encryption) in
        [(None, None, None), (Some(Vec::new()), Some(String::new()), Some(DestinationEncryption::SseS3))]
    {
        configuration.optional_fields = fields;
        configuration.filter_prefix = filter;
        configuration.destination.encryption = encryption;
        configuration.is_enabled = false;
        assert_eq!(InventoryConfiguration::from_xml(configuration.to_xml().as_bytes()).unwrap(), configuration);
        assert_eq!(InventoryConfiguration::from_json(configuration.to_json().as_bytes()).unwrap(), configuration);
    }
}

#[test]
fn prefixed_names_and_cdata_are_read() {
    let text = "\u{feff}<s3:InventoryConfiguration xmlns:s3='x'><s3:Id><![CDATA[a<b]]></s3:Id><IsEnabled>false</IsEnabled>\
        <Destination><S3BucketDestination><Bucket>b</Bucket><Format>Parquet</Format></S3BucketDestination></Destination>\
        <Schedule><Frequency>Hourly</Frequency></Schedule><IncludedObjectVersions>Current</IncludedObjectVersions>\
        </s3:InventoryConfiguration>";
    let read = InventoryConfiguration::parse(text.as_bytes()).unwrap();
    assert_eq!((read.id.as_str(), read.frequency, read.is_enabled), ("a<b", Frequency::Hourly, false));
}

#[test]
fn elements_that_are_unknown_missing_or_doubled_are_named() {
    for (from, to, element) in [
        ("<Id>report1</Id>", "", "Id"),
        ("<Id>report1</Id>", "<Id>1</Id><Id>2</Id>", "Id"),
        ("<Id>report1</Id>", "<Id>1</Id><Name>2</Name>", "Name"),
        ("<Id>report1</Id>", "<Id><Id>1</Id></Id>", "Id"),
        (">true<", ">yes<", "IsEnabled"),
        (">true<", ">True<", "IsEnabled"),
        ("<Filter><Prefix>a &amp; b/&#x1;&#13; </Prefix></Filter>", "<Filter></Filter>", "Filter.Prefix"),
        ("<Filter>", "<Filter><Tag/>", "Filter.Tag"),
        (">Weekly<", ">Yearly<", "Schedule.Frequency"),
        (">All<", ">all<", "IncludedObjectVersions"),
        (">ORC<", ">orc<", "Destination.S3BucketDestination.Format"),
        ("<Format>ORC</Format>", "", "Destination.S3BucketDestination.Format"),
        ("<SSE-KMS><KeyId>", "<SSE-S3/><SSE-KMS><KeyId>", "Destination.S3BucketDestination.Encryption"),
        ("KeyId>", "Key>", "Destination.S3BucketDestination.Encryption.SSE-KMS.Key"),
        ("<Field>Size</Field>", "<Fields/>", "OptionalFields.Fields"),
    ] {
        let error = refused(&XML.replace(from, to));
        assert_eq!(error.element(), element, "{error}");
        assert!(error.to_string().contains("line "), "{error}");
    }
}

#[test]
fn json_is_as_strict() {
    for (from, to, element) in [
        ("\"IsEnabled\":true", "\"IsEnabled\":\"true\"", "IsEnabled"),
        ("\"Id\":\"report1\"", "\"Id\":1", "Id"),
        ("\"Id\":\"report1\"", "\"Id\":null", "Id"),
        ("\"Id\":\"report1\"", "\"Id\":\"a\\u0000\"", "Id"),
        ("\"Id\":\"report1\"", "\"Id\":{}", "Id"),
        ("\"Id\":\"report1\"", "\"id\":\"report1\"", "id"),
        ("[\"Size\",\"FutureField\",\"ETag\"]", "\"Size\"", "OptionalFields"),
        ("[\"Size\",\"FutureField\",\"ETag\"]", "{\"Field\":\"Size\"}", "OptionalFields"),
        ("\"SSEKMS\"", "\"SSE-KMS\"", "SSE-KMS"),
        ("\"Id\":\"report1\"", "\"Id\":\"1\",\"Id\":\"2\"", "the document"),
    ] {
        let error = refused(&JSON.replace(from, to));
        assert_eq!(error.element(), element, "{error}");
    }
}

#[test]
fn what_is_no_document_is_refused_with_a_place() {
    let deep = "<a>".repeat(40);
    let texts = [
        "",
        " ",
        "<",
        "<a>",
        "</a>",
        "<a></b>",
        "x<a/>",
        "<a/><a/>",
        "<a>&x;</a>",
        "[]",
        "{",
        "\"x\"",
        "<a b='c'/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<?php?><a/>",
        "<a>x<b/></a>",
        "<a>&#0;</a>",
        "<Other/>",
        &deep,
    ];
    for text in texts {
        refused(text);
    }
    assert!(refused("<a>\n  <b></c></a>").to_string().contains("line 2"));
    refused(&" ".repeat(DOCUMENT_BYTES_MAX + 1));
}

#[test]
fn pages_have_100_and_a_token() {
    let of = |n: usize| {
        let destination = InventoryDestination::new("arn:aws:s3:::b", FileFormat::Csv);
        InventoryConfiguration::new(format!("{n:04}"), destination, Frequency::Daily)
    };
    let page = ConfigurationList::page(Some("1".into()), (0..250).map(of));
    assert_eq!((page.configurations.len(), page.is_truncated), (100, true));
    let token = PageToken::parse(page.next_continuation_token.as_ref().unwrap()).unwrap();
    assert_eq!(token.id(), "0099");
    assert_eq!(ConfigurationList::from_xml(page.to_xml().as_bytes()).unwrap(), page);
    assert_eq!(ConfigurationList::from_json(page.to_json().as_bytes()).unwrap(), page);
    let last = ConfigurationList::page(None, (0..100).map(of));
    assert_eq!((last.configurations.len(), last.is_truncated, last.next_continuation_token), (100, false, None));
    assert_eq!(ConfigurationList::page(None, []).configurations, []);
    for text in ["", "0", "1x", "16", "2aa", "1FF", "1ff"] {
        assert_eq!(PageToken::parse(text).unwrap_err().code(), S3ErrorCode::InvalidArgument, "{text}");
    }
}

#[test]
fn fields_know_their_columns() {
    let columns = |name: &str| OptionalField::new(name).columns().map(FieldSet::len);
    assert_eq!(columns("Size"), Some(1));
    assert_eq!(columns("ObjectLockEventHoldDuration"), Some(2));
    for name in ["Bucket", "VersionId", "size", "", "ObjectLockEventHoldDurationUnit"] {
        assert_eq!(columns(name), None, "{name}");
    }
}
