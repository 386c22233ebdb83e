using System.Collections.Immutable;
using Grpc.Core;
using Muster.Domain.Deliveries;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Deliveries;

/// <summary>Counts what became of the lines and tells the caller. Many lines are under way at a time.</summary>
internal sealed class ImportProgress(IServerStreamWriter<V1.ImportDeliveryResponse> responses, TimeProvider clock) : IDisposable
{
    /// <summary>A caller sees that it goes on, and an answer costs nothing beside a thousand commits.</summary>
    private const int LinesPerAnswer = 1000;

    /// <summary>An error has at most about 500 bytes: far below what a message may have.</summary>
    private const int ErrorsPerAnswer = 100;

    /// <summary>A caller that reads nothing for so long holds devices and a place that somebody else wants.</summary>
    private static readonly TimeSpan ReadWaitMax = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _writing = new(1);

    /// <summary>Those with the lowest lines, the highest of them in front.</summary>
    private readonly PriorityQueue<DeliveryLineError, int> _first = new();
    private readonly List<V1.DeliveryLineError> _untold = [];
    private DeliveryCounts _counts;

    public DeliveryCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return _counts;
            }
        }
    }

    public ImmutableArray<DeliveryLineError> FirstErrors
    {
        get
        {
            lock (_gate)
            {
                return [.. _first.UnorderedItems.Select(item => item.Element).OrderBy(error => error.Line)];
            }
        }
    }

    /// <summary>One line that is taken, and what there is to say of its device.</summary>
    public Task TakeAsync(bool isUnchanged, DeliveryLineError? note, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Note(note is null ? [] : [note]);
            _counts = isUnchanged
                ? _counts with { Unchanged = _counts.Unchanged + 1 }
                : _counts with { Created = _counts.Created + 1 };
        }

        return TellAsync(cancellationToken);
    }

    /// <summary>One line that is not taken, for one or several reasons.</summary>
    public Task RefuseAsync(IReadOnlyCollection<DeliveryLineError> errors, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _counts = _counts with { Refused = _counts.Refused + 1 };
            Note(errors);
        }

        return TellAsync(cancellationToken);
    }

    /// <summary>Tells what was not told yet; with the delivery, that it is complete. A slow caller is waited for.</summary>
    public async Task FlushAsync(V1.Delivery? complete, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var response = new V1.ImportDeliveryResponse { Delivery = complete };
            lock (_gate)
            {
                (response.Created, response.Unchanged, response.Refused) = (_counts.Created, _counts.Unchanged, _counts.Refused);
                response.Errors.Add(_untold);
                _untold.Clear();
            }

            await responses.WriteAsync(response, cancellationToken).WaitAsync(ReadWaitMax, clock, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    /// <summary>Under the lock.</summary>
    private void Note(IReadOnlyCollection<DeliveryLineError> errors)
    {
        foreach (var error in errors)
        {
            _untold.Add(DeliveriesMapping.ToApi(error));
            _first.Enqueue(error, -error.Line);
            if (_first.Count > DeliveryRules.ErrorsMax)
            {
                _first.Dequeue();
            }
        }
    }

    private Task TellAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var lines = _counts.Created + _counts.Unchanged + _counts.Refused;
            if (_untold.Count < ErrorsPerAnswer && lines % LinesPerAnswer != 0)
            {
                return Task.CompletedTask;
            }
        }

        return FlushAsync(null, cancellationToken);
    }
}
