using System.CommandLine;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

/// <summary>What tables show of images.</summary>
internal static class ImageColumns
{
    public const string Collection = "images";

    public static IReadOnlyList<(string Header, Func<V1.Image, string> Value)> All { get; } =
    [
        ("STATE", image => EnumNames.Of(image.State)),
        ("VERSION", image => image.Version),
        ("TRACK", image => image.Track),
        ("MODELS", image => string.Join(", ", image.Models)),
        ("FORMAT", image => NameOf(image.Format)),
        ("BYTES", image => FormattableString.Invariant($"{image.SizeBytes}")),
        ("SIGNER", image => image.Signer),
        ("IMAGE", image => Values.Short(image.Name)),
    ];

    public static Argument<string> Image() =>
        VerbOptions.Name("image", "The image's digest (SHA-256, 64 lower-case hex digits), or its full name.");

    /// <summary>The formats that an image can have.</summary>
    public static IReadOnlyList<V1.ImageFormat> Formats { get; } =
        [V1.ImageFormat.CmsDetached, V1.ImageFormat.RaucPlain, V1.ImageFormat.RaucVerity];

    /// <summary>As filters write it too.</summary>
    public static string NameOf(V1.ImageFormat format) => format switch
    {
        V1.ImageFormat.Unspecified or V1.ImageFormat.CmsDetached => "detached",
        V1.ImageFormat.RaucPlain => "rauc-plain",
        V1.ImageFormat.RaucVerity => "rauc-verity",
        _ => format.ToString(),
    };

    public static V1.Images.ImagesClient Client(FleetSession session) => new(session.Calls);
}
