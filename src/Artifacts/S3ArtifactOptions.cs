using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Muster.Artifacts;

/// <summary>A bucket for images, of S3 or of a server that speaks as S3 does. Section <c>Muster:Artifacts:S3</c>, of all hosts.</summary>
public sealed class S3ArtifactOptions
{
    public const string SectionName = "Muster:Artifacts:S3";

    /// <summary>The bucket; empty, the default, for the folder. It has to be there: Muster makes none.</summary>
    [RegularExpression("^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", ErrorMessage = "Bucket is not the name of a bucket.")]
    public string Bucket { get; set; } = "";

    /// <summary>Where the server is, for example <c>https://s3.eu-central-1.amazonaws.com</c>.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>The region that requests are signed for; servers at home mostly take any.</summary>
    [Required]
    public string Region { get; set; } = "us-east-1";

    /// <summary>In front of all keys, for a bucket that has other things too; empty, or ending with a slash.</summary>
    [RegularExpression(
        "^$|^[A-Za-z0-9/_.-]{1,100}/$", ErrorMessage = "Prefix is empty, or at most 100 letters, digits and /_.- that end with /.")]
    public string Prefix { get; set; } = "";

    public string AccessKey { get; set; } = "";

    public string SecretKey { get; set; } = "";

    /// <summary>
    /// The bucket is in the path and not in the host's name: what servers at home understand, and AWS for buckets with a dot. Default:
    /// true.
    /// </summary>
    public bool UsesPathStyle { get; set; } = true;

    /// <summary>A server without TLS is not taken but on this host itself: keys and images would be there for everybody to read.</summary>
    public bool AllowsHttp { get; set; }

    /// <summary>True when a bucket is named.</summary>
    public bool IsUsed => Bucket.Length > 0;
}

[OptionsValidator]
internal sealed partial class S3ArtifactOptionsValidator : IValidateOptions<S3ArtifactOptions>;

/// <summary>What no single attribute can say.</summary>
internal sealed class S3ArtifactOptionsCrossValidator : IValidateOptions<S3ArtifactOptions>
{
    public ValidateOptionsResult Validate(string? name, S3ArtifactOptions options)
    {
        var result = new ValidateOptionsResultBuilder();
        if (!options.IsUsed)
        {
            return result.Build();
        }

        if (!Uri.TryCreate(options.Endpoint, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("https" or "http"))
        {
            result.AddError($"{nameof(options.Endpoint)} is '{options.Endpoint}': it is the server's address, with https.");
        }
        else if (endpoint is { Scheme: "http", IsLoopback: false } && !options.AllowsHttp)
        {
            result.AddError($"{nameof(options.Endpoint)} is without TLS on another host: use https, or set {nameof(options.AllowsHttp)}.");
        }

        if (options.AccessKey.Length == 0 || options.SecretKey.Length == 0)
        {
            result.AddError($"{nameof(options.AccessKey)} and {nameof(options.SecretKey)} are required with a bucket.");
        }

        return result.Build();
    }
}
