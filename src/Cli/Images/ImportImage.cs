using System.CommandLine;
using System.Security.Cryptography;
using Google.Protobuf;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class ImportImage
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "The image." };
        var signature = new Option<FileInfo?>("--signature") { Description = "Its detached CMS signature (DER); a bundle holds its own." };
        var format = new Option<string?>("--format")
        {
            Description = "How the file is signed: detached (unless the statement says otherwise), rauc-plain or rauc-verity.",
        };
        format.AcceptOnlyFromAmong([.. ImageColumns.Formats.Select(ImageColumns.NameOf)]);
        var compatible = new Option<string?>("--compatible")
        {
            Description = "What a verity bundle's manifest states to be compatible with.",
        };
        var statement = new ImageStatement();
        var draft = new Option<bool>("--draft") { Description = "Keeps it as a draft: it is offered when it is published." };
        var requestId = VerbOptions.RequestId();
        var command = new Command(
            "import", "Uploads a signed image; the server verifies the signature. Repeated, it goes on where it stopped.")
        {
            file, signature, format, compatible, draft, requestId,
        };
        return statement.AddTo(command)
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var image = await statement.ReadAsync(parsed, cancellationToken);
                var stated = parsed.GetValue(format) ?? ImageColumns.NameOf(image.Format);
                image.Format = ImageColumns.Formats.Single(known => ImageColumns.NameOf(known) == stated);
                image.Compatible = parsed.GetValue(compatible) ?? image.Compatible;
                await using var content = UploadedFile.Open(parsed.GetRequiredValue(file));
                image.SizeBytes = content.Length;
                var header = new V1.UploadImageHeader
                {
                    Parent = session.Parent,
                    Image = image,
                    Signature = await SignatureOf(parsed.GetValue(signature), cancellationToken),
                    RequestId = parsed.RequestIdOf(requestId),
                    Draft = parsed.GetValue(draft),
                };
                var images = ImageColumns.Client(session);
                image.Name = await NameAsync(session, content, cancellationToken);
                await new ContinuedUpload(images, image.Name, content, parsed.InvocationConfiguration.Error).SendAsync(cancellationToken);
                await session.Output.ShowAsync(await RegisterAsync(images, header, cancellationToken));
            });
    }

    /// <summary>Nothing without a file: the server says whether the format needs one.</summary>
    private static async Task<ByteString> SignatureOf(FileInfo? file, CancellationToken cancellationToken)
    {
        if (file is null)
        {
            return ByteString.Empty;
        }

        await using var signature = UploadedFile.Open(file);
        return await ByteString.FromStreamAsync(signature, cancellationToken);
    }

    /// <summary>The file is read once for its name, which is what it is uploaded under.</summary>
    private static async Task<string> NameAsync(FleetSession session, FileStream content, CancellationToken cancellationToken)
    {
        content.Position = 0;
        return $"{session.Parent}/images/{Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken))}";
    }

    /// <summary>Of the bytes that are there: the metadata alone.</summary>
    private static async Task<V1.Image> RegisterAsync(
        V1.Images.ImagesClient images, V1.UploadImageHeader header, CancellationToken cancellationToken)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = images.UploadImage(cancellationToken: cut.Token);
        await call.RequestStream.SendAsync([new V1.UploadImageRequest { Header = header }], cut);
        return await call;
    }
}
