using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Contracts.Deliveries;
using Muster.Contracts.Devices;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Deliveries;
using Muster.Domain.Devices;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Deliveries;

/// <summary>
/// One import. Lines are read and judged one after the other, and their devices created many at a time. Nothing holds the list: what it
/// takes is bounded, whatever its length.
/// </summary>
internal sealed class DeliveryImport(
    IGrainFactory grains,
    TimeProvider clock,
    Caller caller,
    IAsyncStreamReader<V1.ImportDeliveryRequest> requests,
    IServerStreamWriter<V1.ImportDeliveryResponse> responses)
{
    /// <summary>
    /// Above any delivery that is known, and divided if not: each device that is created is active for some minutes and takes memory of a
    /// silo. What was seen of a list takes 40 bytes a line here.
    /// </summary>
    public const int LinesMax = 250_000;

    /// <summary>
    /// Devices under way at a time: one for each partition of the default, so that many commits leave in a call. That takes a tenth less of
    /// the processor than 64 did.
    /// </summary>
    private const int DevicesAtOnce = 256;

    /// <summary>A serial that nobody could read is shown to help find its line, and no further.</summary>
    private const int SerialShownMax = 64;

    /// <summary>A silo that restarts is back by the last attempt; a store that does not answer ends the import, to be repeated.</summary>
    private const int AttemptsMax = 4;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>A caller that says nothing for so long is gone, and somebody else wants its place.</summary>
    private static readonly TimeSpan ChunkWaitMax = TimeSpan.FromMinutes(1);

    /// <summary>The line of each device, by a hash: two are alike once in five hundred million lists of that length.</summary>
    private readonly Dictionary<ulong, int> _seen = [];
    private ResourceId _delivery;
    private string _requestId = "";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!await NextAsync(cancellationToken) || requests.Current.Header is not { } header)
        {
            throw FleetErrors.Invalid([("header", "is required in the first message")]);
        }

        _delivery = ResourceId.TryParse(header.DeliveryId, out var delivery) ? delivery : throw new FormatException(header.DeliveryId);
        _requestId = DeliveryRules.RequestIdOf(delivery);
        var grain = grains.GetDelivery(caller.Tenant, delivery);
        var begun = Accept(await InsistAsync(() => grain.BeginAsync(caller.Actor), cancellationToken));
        using var progress = new ImportProgress(responses, clock);
        try
        {
            await Parallel.ForEachAsync(
                DevicesAsync(header, progress, cancellationToken),
                new ParallelOptions { MaxDegreeOfParallelism = DevicesAtOnce, CancellationToken = cancellationToken },
                // Not the loop's own token: a line that was read is carried out, and counted, whatever the next one is.
                async (line, _) => await TakeAsync(line.Line, line.Serial, line.Device, progress, cancellationToken));
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or TimeoutException))
        {
            // What was found until then is told before why it ends there.
            await progress.FlushAsync(null, cancellationToken);
            throw;
        }

        var completed = await InsistAsync(
            () => grain.CompleteAsync(new CompleteDelivery(caller.Actor, begun.Run, progress.Counts, progress.FirstErrors)),
            cancellationToken);
        await progress.FlushAsync(DeliveriesMapping.ToApi(Accept(completed)), cancellationToken);
    }

    private async IAsyncEnumerable<(int Line, string Serial, DeliveredDevice Device)> DevicesAsync(
        V1.ImportDeliveryHeader header, ImportProgress progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var defaults = DeliveriesMapping.ToDefaults(header);
        var lines = header.Format == V1.DeliveryFormat.Csv
            ? new CsvList(NextChunkAsync, defaults).ReadAsync(cancellationToken)
            : new JsonList(NextChunkAsync, defaults).ReadAsync(cancellationToken);
        var count = 0;
        await foreach (var line in lines)
        {
            if (++count > LinesMax)
            {
                throw FleetErrors.ToRpcException(DeliveryErrors.TooManyLines(LinesMax));
            }

            var serial = line.Values[DeliveryColumn.Serial];
            var (device, problems) = line.Problems.IsEmpty ? DeliveryLines.Read(line.Values, _delivery) : (null, line.Problems);
            if (device is not null && IsRepeated(device.Device, line.Line, out var first))
            {
                problems = [new LineProblem(DeliveryColumns.NameOf(DeliveryColumn.Serial), $"is on line {first} already")];
            }

            if (device is not null && problems.IsEmpty)
            {
                yield return (line.Line, serial, device);
                continue;
            }

            await progress.RefuseAsync(
                [.. problems.Select(problem => new DeliveryLineError(
                    line.Line, ShownText.OneLine(serial, SerialShownMax), problem.Field, "DELIVERY_LINE_INVALID", problem.Rule))],
                cancellationToken);
        }
    }

    private bool IsRepeated(DeviceId device, int line, out int first)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(
            _seen, XxHash64.HashToUInt64(MemoryMarshal.AsBytes(device.Value.AsSpan())), out var exists);
        known = exists ? known : line;
        first = known;
        return exists;
    }

    private async Task TakeAsync(
        int line, string serial, DeliveredDevice device, ImportProgress progress, CancellationToken cancellationToken)
    {
        var reply = await InsistAsync(device, cancellationToken);
        if (reply.Error is { } error)
        {
            await progress.RefuseAsync([new DeliveryLineError(line, serial, "", error.Reason, error.Message)], cancellationToken);
        }
        else
        {
            var note = reply.SerialWaits is { } waits ? new DeliveryLineError(line, serial, "", waits.Reason, waits.Message) : null;
            await progress.TakeAsync(reply.IsUnchanged, note, cancellationToken);
        }
    }

    private async Task<DeviceReply> InsistAsync(DeliveredDevice device, CancellationToken cancellationToken)
    {
        try
        {
            return await InsistAsync(() => ExpectAsync(device), cancellationToken);
        }
        catch (RecordUnreadableException exception)
        {
            // One device's, and no reason to leave the others out.
            return new DeviceReply(null, FleetError.Of(ErrorKind.Precondition, "RECORD_UNREADABLE", exception.Message));
        }
    }

    private async Task<T> InsistAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (Exception exception) when (attempt < AttemptsMax && ErrorInterceptor.IsPassing(exception))
            {
                await Task.Delay(Pause * attempt, clock, cancellationToken);
            }
        }
    }

    /// <summary>As a single device is created: the warranty before it and after it, so that there never is a device without one.</summary>
    private async Task<DeviceReply> ExpectAsync(DeliveredDevice device)
    {
        var warranty = grains.GetWarranty(caller.Tenant, device.Device);
        var term = new ExpectWarranty(caller.Actor, _requestId, device.Warranty);
        var before = await warranty.ExpectAsync(term);
        if (before.Error is { } refused)
        {
            return Refuse(device, refused);
        }

        var reply = await grains.GetDevice(caller.Tenant, device.Device).ExpectAsync(
            new ExpectDevice(caller.Actor, _requestId, device.Spec) { CertificateSha256 = device.CertificateSha256 });
        if (reply.Error is { } error)
        {
            return Refuse(device, error);
        }

        // Only another creation of the same device may have written its term in between, and one that found it there did not.
        return !reply.IsUnchanged && await warranty.ExpectAsync(term) is { Error: { } late } ? Refuse(device, late) : reply;
    }

    private DeviceReply Refuse(DeliveredDevice device, FleetError error) => new(
        null, error.Reason == "REQUEST_ID_REUSED" ? DeliveryErrors.LineChanged(device.Device, _delivery) : error);

    private async ValueTask<ReadOnlyMemory<byte>> NextChunkAsync(CancellationToken cancellationToken)
    {
        if (!await NextAsync(cancellationToken))
        {
            return default;
        }

        return requests.Current.PartCase == V1.ImportDeliveryRequest.PartOneofCase.Chunk
            ? requests.Current.Chunk.Memory
            : throw FleetErrors.Invalid([("chunk", "is what follows the header")]);
    }

    private async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await requests.MoveNext(cancellationToken).WaitAsync(ChunkWaitMax, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"Nothing of the list came for {ChunkWaitMax}."));
        }
    }

    private static Delivery Accept(DeliveryReply reply) => reply.Error is { } error
        ? throw FleetErrors.ToRpcException(error)
        : reply.Delivery ?? throw new InvalidOperationException("Neither a delivery nor an error.");
}
