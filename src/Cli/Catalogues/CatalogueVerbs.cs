using System.CommandLine;
using Google.Protobuf;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Catalogues;

/// <summary>The verbs of <c>images catalogue</c>.</summary>
internal static class CatalogueVerbs
{
    /// <summary>What the server takes; a larger file need not travel.</summary>
    private const int DocumentBytesMax = 512 * 1024;

    public static Command CreateGet() => new Command("get", "The catalogue in force.").Calls(
        async (session, _, cancellationToken) => await session.Output.ShowAsync(await Client(session).GetCatalogueAsync(
            new V1.GetCatalogueRequest { Name = NameOf(session) }, cancellationToken: cancellationToken)));

    public static Command CreateImport()
    {
        var file = new Argument<FileInfo>("file") { Description = "The catalogue, as it was signed." };
        var signature = new Option<FileInfo>("--signature") { Description = "Its detached CMS signature (DER).", Required = true };
        return new Command("import", "Takes a newer signed catalogue; the server verifies the signature.") { file, signature }.Calls(
            async (session, parsed, cancellationToken) =>
            {
                var request = new V1.ImportCatalogueRequest
                {
                    Parent = session.Parent,
                    Document = await ReadAsync(parsed.GetRequiredValue(file), cancellationToken),
                    Signature = await ReadAsync(parsed.GetRequiredValue(signature), cancellationToken),
                };
                await session.Output.ShowAsync(
                    await Client(session).ImportCatalogueAsync(request, cancellationToken: cancellationToken));
            });
    }

    public static Command CreateRequire()
    {
        var off = new Option<bool>("--off") { Description = "They need not be any more." };
        return new Command("require", "Only images that the catalogue names are published from now on.") { off }.Calls(
            async (session, parsed, cancellationToken) =>
            {
                var catalogue = new V1.Catalogue { Name = NameOf(session), Required = !parsed.GetValue(off) };
                await session.Output.ShowAsync(await Client(session).UpdateCatalogueAsync(
                    new V1.UpdateCatalogueRequest { Catalogue = catalogue }, cancellationToken: cancellationToken));
            });
    }

    private static V1.Catalogues.CataloguesClient Client(FleetSession session) => new(session.Calls);

    private static string NameOf(FleetSession session) => session.Parent + "/catalogue";

    private static async Task<ByteString> ReadAsync(FileInfo file, CancellationToken cancellationToken)
    {
        await using var content = UploadedFile.Open(file);
        return content.Length <= DocumentBytesMax
            ? await ByteString.FromStreamAsync(content, cancellationToken)
            : throw new UsageException($"'{file}' is larger than a catalogue can be: {DocumentBytesMax} bytes.");
    }
}
