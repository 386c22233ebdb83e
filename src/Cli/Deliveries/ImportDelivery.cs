using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Deliveries;

internal static class ImportDelivery
{
    /// <summary>A quarter of the largest chunk allowed: hides the round trip and costs little memory.</summary>
    private const int ChunkBytes = 64 * 1024;

    public static Command Create()
    {
        var delivery = VerbOptions.Name("delivery", "The name of the delivery, for example order-4711.");
        var file = new Argument<FileInfo>("file") { Description = "The list, in CSV or JSON." };
        var format = new Option<string?>("--format") { Description = "csv or json; without it, by the name of the file." };
        format.AcceptOnlyFromAmong("csv", "json");
        var defaults = new Option<string[]>("--default")
        {
            Description = "What lines without a value have, for example track=12.11; may be given several times.",
            HelpName = "COLUMN=VALUE",
        };
        return new Command(
            "import",
            "Put the devices of a delivery's list on the delivery list. The same list again changes nothing; exit code 1 when lines were "
            + "refused.")
        {
            delivery, file, format, defaults,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var list = parsed.GetRequiredValue(file);
                var header = new V1.ImportDeliveryHeader
                {
                    Parent = session.Parent,
                    DeliveryId = parsed.GetRequiredValue(delivery),
                    Format = FormatOf(parsed.GetValue(format) ?? list.Extension.TrimStart('.')),
                };
                foreach (var (column, value) in (parsed.GetValue(defaults) ?? []).Select(Split))
                {
                    header.Defaults[column] = value;
                }

                await using var content = UploadedFile.Open(list);
                await ReportAsync(session, await SendAsync(session, header, content, cancellationToken));
            });
    }

    /// <summary>Sending and listening go on beside each other: the server answers while it reads.</summary>
    private static async Task<V1.Delivery> SendAsync(
        FleetSession session, V1.ImportDeliveryHeader header, FileStream content, CancellationToken cancellationToken)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = DeliveryColumns.Client(session).ImportDelivery(cancellationToken: cut.Token);
        var sending = call.RequestStream.SendAsync(Parts(header, content), cut);
        V1.Delivery? complete = null;
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                foreach (var error in response.Errors)
                {
                    await ShowAsync(session, error);
                }

                complete = response.Delivery;
            }
        }
        catch (RpcException) when (cut.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Cut because of the file, which the next line tells.
        }

        await sending;
        return complete
            ?? throw new RpcException(new Status(StatusCode.Unavailable, "The import ended before it was complete; repeat the command."));
    }

    private static IEnumerable<V1.ImportDeliveryRequest> Parts(V1.ImportDeliveryHeader header, FileStream content) =>
        UploadedFile.Chunks(content, ChunkBytes)
            .Select(chunk => new V1.ImportDeliveryRequest { Chunk = chunk })
            .Prepend(new V1.ImportDeliveryRequest { Header = header });

    private static Task ShowAsync(FleetSession session, V1.DeliveryLineError error) => session.Output.IsJson
        ? session.Output.ShowAsync(error)
        : session.Output.LineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"line {error.Line}{Part(" ", error.Serial)}: {error.Reason}:{Part(" ", error.Field)} {error.Message}"));

    private static string Part(string before, string text) => text.Length == 0 ? "" : before + text;

    private static async Task ReportAsync(FleetSession session, V1.Delivery delivery)
    {
        if (session.Output.IsJson)
        {
            await session.Output.ShowAsync(delivery);
        }
        else
        {
            await session.Output.LineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{delivery.Created} devices created, {delivery.Unchanged} unchanged, {delivery.Refused} lines refused"));
        }

        if (delivery.Refused > 0)
        {
            throw new DifferenceException("Not all of the list was taken; see above. Mend the lines and import the whole list again.");
        }
    }

    private static V1.DeliveryFormat FormatOf(string name) => name.ToLowerInvariant() switch
    {
        "csv" => V1.DeliveryFormat.Csv,
        "json" or "jsonl" or "ndjson" => V1.DeliveryFormat.Json,
        _ => throw new UsageException("The name of the file says neither csv nor json; add --format."),
    };

    private static (string Column, string Value) Split(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : throw new UsageException($"'{text}' is not of the form column=value.");
    }
}
