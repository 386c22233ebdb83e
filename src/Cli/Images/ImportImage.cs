using System.CommandLine;
using Google.Protobuf;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class ImportImage
{
    /// <summary>A quarter of the largest chunk allowed: hides the round trip and costs little memory.</summary>
    private const int ChunkBytes = 256 * 1024;

    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "The image." };
        var signature = new Option<FileInfo>("--signature") { Description = "Its detached CMS signature (DER).", Required = true };
        var version = new Option<string>("--version") { Description = "For example 12.11.77.", Required = true };
        var track = new Option<string>("--track") { Description = "active, or a long-term-support line such as 12.11.", Required = true };
        var models = new Option<string[]>("--model")
        {
            Description = "A model that it is for; several are possible.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var requestId = VerbOptions.RequestId();
        return new Command("import", "Uploads a signed image; the server verifies the signature.")
        {
            file, signature, version, track, models, requestId,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var image = new V1.Image { Version = parsed.GetRequiredValue(version), Track = parsed.GetRequiredValue(track) };
                image.Models.AddRange(parsed.GetRequiredValue(models));
                await using var content = UploadedFile.Open(parsed.GetRequiredValue(file));
                image.SizeBytes = content.Length;
                await using var signed = UploadedFile.Open(parsed.GetRequiredValue(signature));
                var header = new V1.UploadImageHeader
                {
                    Parent = session.Parent,
                    Image = image,
                    Signature = await ByteString.FromStreamAsync(signed, cancellationToken),
                    RequestId = parsed.RequestIdOf(requestId),
                };
                await session.Output.ShowAsync(await UploadAsync(session, header, content, cancellationToken));
            });
    }

    private static async Task<V1.Image> UploadAsync(
        FleetSession session, V1.UploadImageHeader header, FileStream content, CancellationToken cancellationToken)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = ImageColumns.Client(session).UploadImage(cancellationToken: cut.Token);
        var chunks = UploadedFile.Chunks(content, ChunkBytes).Select(chunk => new V1.UploadImageRequest { Chunk = chunk });
        await call.RequestStream.SendAsync(chunks.Prepend(new V1.UploadImageRequest { Header = header }), cut);
        return await call;
    }
}
