using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Transfers;

internal static class ExportTenant
{
    /// <summary>What is not whole yet has another name.</summary>
    private const string PartSuffix = ".part";

    /// <summary>A restart of the store ends an export within a partition; it goes on from the last mark as often as this.</summary>
    private const int AttemptsMax = 5;

    /// <summary>Two attempts outlast a restart of a store, three a failover.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "The file to write; it must not exist." };
        return new Command(
            "export",
            "Write all records of the tenant and its images to a file. An export that broke off goes on when the command is repeated.")
        {
            file,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var target = parsed.GetRequiredValue(file);
                if (target.Exists)
                {
                    throw new UsageException($"'{target}' exists already.");
                }

                var part = target.FullName + PartSuffix;
                var end = await InsistAsync(session, part, cancellationToken);
                File.Move(part, target.FullName, overwrite: false);
                await DoneAsync(session, end);
            });
    }

    private static Task DoneAsync(FleetSession session, V1.ExportMark end) => session.Output.IsJson
        ? session.Output.ShowAsync(end)
        : session.Output.LineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{end.Records} records and {end.Images} images exported; SHA-256 {Convert.ToHexStringLower(end.Sha256.Span)}"));

    private static async Task<V1.ExportMark> InsistAsync(FleetSession session, string path, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await WriteAsync(session, path, cancellationToken);
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.Unavailable && attempt < AttemptsMax)
            {
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    /// <summary>Goes on behind the last mark that is in the file.</summary>
    private static async Task<V1.ExportMark> WriteAsync(FleetSession session, string path, CancellationToken cancellationToken)
    {
        await using var file = Open(path);
        var last = ExportFile.LastMark(file);
        file.SetLength(last?.End ?? 0);
        file.Position = file.Length;
        if (last is { Mark.IsEnd: true } whole)
        {
            return whole.Mark;
        }

        var request = new V1.ExportTenantRequest { Parent = session.Parent, ResumeAfter = last?.Mark };
        using var call = new V1.Transfers.TransfersClient(session.Calls).ExportTenant(request, cancellationToken: cancellationToken);
        await foreach (var response in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            Append(file, response.Part);
            if (V1.ExportPart.Parser.ParseFrom(response.Part) is { Mark: { IsEnd: true } end })
            {
                file.Flush(flushToDisk: true);
                return end;
            }
        }

        throw new RpcException(new Status(StatusCode.Unavailable, "The export ended before its last mark; repeat the command."));
    }

    private static void Append(FileStream file, ByteString part)
    {
        try
        {
            ExportFile.Append(file, part);
        }
        catch (IOException exception)
        {
            throw new UsageException($"Cannot write '{file.Name}': {exception.Message}", exception);
        }
    }

    private static FileStream Open(string path)
    {
        try
        {
            return ExportFile.Create(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot write '{path}': {exception.Message}", exception);
        }
    }
}
