using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Transfers;

internal static class ImportTenant
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "What 'muster admin export' wrote." };
        var withoutRollouts = new Option<bool>("--without-rollouts")
        {
            Description = "Leave rollouts out; needed when the two installations differ in their number of partitions.",
        };
        return new Command(
            "import",
            "Take an export in, in an installation that has no records yet. An import that broke off is repeated; exit code 1 when "
            + "something was left out.")
        {
            file, withoutRollouts,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                await using var content = ExportFile.Open(parsed.GetRequiredValue(file));
                if (ExportFile.LastMark(content) is not { Mark.IsEnd: true } last || last.End != content.Length)
                {
                    throw new UsageException($"'{parsed.GetRequiredValue(file)}' is no whole export: it broke off, or was altered.");
                }

                content.Position = 0;
                var result = await SendAsync(session, content, parsed.GetValue(withoutRollouts), cancellationToken);
                await ReportAsync(session, result);
            });
    }

    /// <summary>Sending and listening go on beside each other: the server answers after every mark.</summary>
    private static async Task<V1.ImportTenantResponse> SendAsync(
        FleetSession session, FileStream content, bool withoutRollouts, CancellationToken cancellationToken)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = new V1.Transfers.TransfersClient(session.Calls).ImportTenant(cancellationToken: cut.Token);
        var parts = ExportFile.Read(content)
            .Select(part => new V1.ImportTenantRequest { Part = part.Bytes, WithoutRollouts = withoutRollouts });
        var sending = call.RequestStream.SendAsync(parts, cut);
        V1.ImportTenantResponse? last = null;
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                last = response;
            }
        }
        catch (RpcException) when (cut.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Cut because of the file, which the next line tells.
        }

        await sending;
        return last is { Complete: true }
            ? last
            : throw new RpcException(new Status(StatusCode.Unavailable, "The import ended before it was complete; repeat the command."));
    }

    private static async Task ReportAsync(FleetSession session, V1.ImportTenantResponse result)
    {
        if (session.Output.IsJson)
        {
            await session.Output.ShowAsync(result);
        }
        else
        {
            await session.Output.LineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Written} records and {result.Images} images imported, {result.OperatorsKept} operators kept, "
                + $"{result.Left} records left out"));
            foreach (var example in result.Examples)
            {
                await session.Output.LineAsync(example);
            }
        }

        if (result.Left > 0)
        {
            throw new DifferenceException("Not all of the export is in this installation; see above.");
        }
    }
}
