using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

/// <summary>What tables show of images.</summary>
internal static class ImageColumns
{
    public const string Collection = "images";

    public static IReadOnlyList<(string Header, Func<V1.Image, string> Value)> All { get; } =
    [
        ("VERSION", image => image.Version),
        ("TRACK", image => image.Track),
        ("MODELS", image => string.Join(", ", image.Models)),
        ("BYTES", image => FormattableString.Invariant($"{image.SizeBytes}")),
        ("SIGNER", image => image.Signer),
        ("IMAGE", image => Values.Short(image.Name)),
    ];

    public static V1.Images.ImagesClient Client(FleetSession session) => new(session.Calls);
}
