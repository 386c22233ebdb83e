using System.Globalization;
using Muster.Domain.Images;

namespace Muster.Cryptography.Bundles;

/// <summary>What is needed of the manifest that a verity bundle's publisher signed.</summary>
/// <param name="Bundle">What it says of the bundle.</param>
/// <param name="RootHash">The hash of the tree's top, 32 bytes.</param>
/// <param name="Salt">Hashed before each block, 32 bytes.</param>
/// <param name="TreeBytes">The length of the tree behind the file system.</param>
internal sealed record RaucManifest(ImageBundle Bundle, byte[] RootHash, byte[] Salt, long TreeBytes)
{
    private const string SlotPrefix = "image.";

    /// <summary>The manifest, or a sentence that says what is wrong with it; the format crypt is neither.</summary>
    public static (RaucManifest? Manifest, string? Fault, bool IsEncrypted) Read(ReadOnlySpan<byte> content)
    {
        if (KeyFile.Parse(content) is not { } file)
        {
            return Refuse("its manifest is not a key file of UTF-8 text with each group and key once");
        }

        switch (file.Value("bundle", "format"))
        {
            case "verity":
                break;
            case "crypt":
                return (null, null, true);
            default:
                return Refuse("its manifest is beside the file system and does not state the format verity");
        }

        if (file.Value("update", "compatible") is not { Length: > 0 and <= ImageBundle.TextMax } compatible
            || file.Value("update", "version") is { Length: > ImageBundle.TextMax })
        {
            return Refuse($"its manifest does not state what it is compatible with, or in more than {ImageBundle.TextMax} characters");
        }

        if (Hash(file.Value("bundle", "verity-hash")) is not { } root || Hash(file.Value("bundle", "verity-salt")) is not { } salt
            || Number(file.Value("bundle", "verity-size")) is not { } treeBytes)
        {
            return Refuse("its manifest does not state verity-hash, verity-salt and verity-size");
        }

        if (SlotsOf(file) is not { } slots)
        {
            return Refuse($"its manifest states an image without size or sha256, or more than {ImageBundle.SlotsMax}");
        }

        var bundle = new ImageBundle(ImageFormat.RaucVerity, compatible, file.Value("update", "version"), slots);
        return (new RaucManifest(bundle, root, salt, treeBytes), null, false);
    }

    private static ImmutableArray<BundleSlot>? SlotsOf(KeyFile file)
    {
        var slots = ImmutableArray.CreateBuilder<BundleSlot>();
        foreach (var group in file.Groups.Where(group => group.StartsWith(SlotPrefix, StringComparison.Ordinal)))
        {
            var name = group[SlotPrefix.Length..];
            var fileName = file.Value(group, "filename") ?? "";
            var sha256 = file.Value(group, "sha256");
            var size = Number(file.Value(group, "size"));
            if (slots.Count == ImageBundle.SlotsMax || name.Length is 0 or > ImageBundle.TextMax || fileName.Length > ImageBundle.TextMax
                || (fileName.Length > 0 && (Hash(sha256) is null || size is null)))
            {
                return null;
            }

            slots.Add(fileName.Length == 0
                ? new BundleSlot(name, "", 0, "")
                : new BundleSlot(name, fileName, size!.Value, sha256!.ToLowerInvariant()));
        }

        return slots.ToImmutable();
    }

    private static byte[]? Hash(string? text) =>
        text is { Length: 2 * SHA256.HashSizeInBytes } && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static (RaucManifest? Manifest, string? Fault, bool IsEncrypted) Refuse(string fault) => (null, fault, false);
}
