//! The table of HTTP errors of OpenAI-style servers (providers.md §3.2, §5.2, §5.3).

use tideclaw::llm::{ErrorClass, Feature, Provider, openai};

#[test]
fn table() {
    use ErrorClass::*;
    let html = "<!DOCTYPE html><html><head><title>shore.example | 524: A timeout occurred</title></head></html>";
    for (status, body, class) in [
        (401, r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#, Auth),
        (401, "", Auth),
        (
            400,
            r#"{"error":{"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#,
            Auth,
        ),
        (
            403,
            r#"{"error":{"message":"Country, region, or territory not supported","code":"unsupported_country"}}"#,
            Auth,
        ),
        (403, "", Auth),
        (402, r#"{"error":{"message":"This request requires more credits, or fewer max_tokens","code":402}}"#, Quota),
        (402, "", Quota),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Quota,
        ),
        (403, r#"{"code":"x","error":"Your team has used all available credits"}"#, Quota),
        (400, r#"{"error":{"message":"Your credit balance is too low to access the API"}}"#, Quota),
        (
            403,
            r#"{"error":{"message":"Project `p` does not have access to model `m`","code":"model_not_found"}}"#,
            Plan,
        ),
        (
            400,
            r#"{"error":{"message":"Your organization must be verified to stream this model.","param":"stream"}}"#,
            Plan,
        ),
        (
            404,
            r#"{"error":{"message":"The model `m` does not exist or you do not have access to it.","code":"model_not_found"}}"#,
            Retired,
        ),
        (400, r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}"#, Retired),
        (400, r#"{"error":{"message":"shore/vision-1 is not a valid model ID","code":400}}"#, Retired),
        (404, "404 page not found", Retired),
        (410, "", Retired),
        (
            429,
            r#"{"error":{"message":"Rate limit reached for m on tokens per min (TPM): Limit 6000","code":"rate_limit_exceeded"}}"#,
            Rate,
        ),
        (429, r#"{"error":{"message":"Quota exceeded: usage limit per minute"}}"#, Rate),
        (429, "", Rate),
        (
            429,
            r#"{"error":{"message":"Request too large for m on tokens per min (TPM): Limit 30000, Requested 40000"}}"#,
            Overflow,
        ),
        (413, r#"{"error":{"message":"Request too large for model m","code":"rate_limit_exceeded"}}"#, Overflow),
        (413, "", Overflow),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","param":"messages","code":"context_length_exceeded"}}"#,
            Overflow,
        ),
        (500, r#"{"error":{"message":"input length exceeds the context length"}}"#, Overflow),
        (
            400,
            r#"{"error":{"message":"Failed to call a function.","code":"tool_use_failed","failed_generation":"<f{"}}"#,
            Transient,
        ),
        (408, "", Transient),
        (409, "", Transient),
        (500, html, Transient),
        (502, r#"{"error":{"message":"Provider returned error","code":502}}"#, Transient),
        (503, r#"{"error":{"message":"The engine is currently overloaded"}}"#, Transient),
        (524, html, Transient),
        (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Transient),
        (400, r#"{"error":{"message":"The response was filtered","code":"content_filter"}}"#, Content),
        (400, r#"{"error":{"message":"Invalid prompt: your prompt was flagged","code":"invalid_prompt"}}"#, Content),
        (
            403,
            r#"{"error":{"code":403,"message":"m requires moderation, your input was flagged","metadata":{"reasons":["x"]}}}"#,
            Content,
        ),
        (
            400,
            r#"{"error":{"message":"The reasoning_content in the thinking mode must be passed back to the API."}}"#,
            BadRequest,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid 'tools[0].function.name': string does not match pattern.","param":"tools[0].function.name"}}"#,
            BadRequest,
        ),
        (400, "", BadRequest),
        (422, "{}", BadRequest),
        (302, "", BadRequest),
        // A 2xx body that turned out to be an error; its own code counts then.
        (200, r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"slow down"}}}"#, Rate),
        (200, r#"[{"error":{"code":503,"message":"high demand"}}]"#, Transient),
        (200, html, Transient),
    ] {
        let error = openai::classify(status, None, body.as_bytes());
        assert_eq!((error.class, error.feature), (class, None), "{status} {body}");
        assert_eq!((error.status, error.retry_after_ms), (Some(status), None));
    }
}

#[test]
fn refused_parts_of_a_request() {
    use Feature::*;
    for (status, body, feature) in [
        (400, r#"{"error":{"message":"Unknown parameter: 'stream_options'.","param":"stream_options"}}"#, StreamUsage),
        (
            422,
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#,
            StreamUsage,
        ),
        (400, r#"{"error":{"message":"bad field","param":"stream_options"}}"#, StreamUsage),
        (
            400,
            r#"{"error":{"message":"Unsupported value: 'reasoning_effort' does not support 'minimal' with this model.","param":"reasoning_effort"}}"#,
            Thinking,
        ),
        (400, r#"{"error":{"message":"Function tools with reasoning_effort are not supported for m."}}"#, Thinking),
        (400, r#"{"error":{"message":"Reasoning is not supported by this model"}}"#, Thinking),
        (400, r#"{"error":{"message":"\"kimi-k2-thinking\" does not support tools"}}"#, Tools),
        (
            400,
            r#"{"error":{"message":"UnsupportedParamsError: the maker doesn't support tool calling without `tools=`"}}"#,
            Tools,
        ),
        (404, r#"{"error":{"message":"No endpoints found that support tool use.","code":404}}"#, Tools),
        (
            400,
            r#"{"object":"error","message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"}"#,
            Tools,
        ),
        (500, r#"{"error":{"code":500,"message":"tools param is not supported without jinja"}}"#, Tools),
        (404, r#"{"error":{"message":"No endpoints found that support image input","code":404}}"#, Media),
        (
            400,
            r#"{"error":{"message":"Invalid content type. image_url is only supported by certain models.","param":"messages.[1].content.[1].type"}}"#,
            Media,
        ),
        (400, r#"{"error":{"message":"messages[0]: unknown variant `image_url`, expected `text`"}}"#, Media),
        (400, r#"{"error":{"message":"Image input is not enabled for this model"}}"#, Media),
        (400, r#"{"error":{"message":"'messages.0' : for 'role:user' content must be a string"}}"#, Media),
        (500, r#"{"error":{"code":500,"message":"image input is not supported - hint: provide the mmproj"}}"#, Media),
        (400, r#"{"error":{"message":"Invalid value: 'file'. Supported values are: 'text'."}}"#, Media),
    ] {
        let error = openai::classify(status, None, body.as_bytes());
        assert_eq!((error.class, error.feature), (ErrorClass::BadRequest, Some(feature)), "{status} {body}");
    }
}

#[test]
fn detail_is_short_and_redacted() {
    let body = br#"{"error":{"message":"Incorrect API key provided: sk-proj-abc123def456ghi"}}"#;
    assert_eq!(openai::classify(401, None, body).detail, "Incorrect API key provided: […]");
    let raw = br#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"slow down","provider_name":"Shore"}}}"#;
    assert_eq!(openai::classify(429, None, raw).detail, "Provider returned error | slow down");
    assert_eq!(openai::classify(500, None, "я".repeat(100_000).as_bytes()).detail.chars().count(), 300);
    assert_eq!(openai::classify(502, None, b"").detail, "no text");
}

#[test]
fn retry_after_is_read() {
    assert_eq!(Provider::OpenAi.classify(429, Some("12"), b"").retry_after_ms, Some(12_000));
    assert_eq!(openai::classify(429, Some("soon"), b"").retry_after_ms, None);
}
