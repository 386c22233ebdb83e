using Google.Protobuf;
using Grpc.Core;

namespace Muster.Gateway.Grpc;

/// <summary>Runs the request's validator before the service sees it; of a stream, before each message.</summary>
internal sealed class ValidationInterceptor(RequestValidators validators) : CallInterceptor
{
    private const string Package = "muster.v1";

    protected override Task AroundAsync(object? request, ServerCallContext context, Func<Task> next)
    {
        Check(request, context);
        return next();
    }

    protected override IAsyncStreamReader<TRequest> Wrap<TRequest>(IAsyncStreamReader<TRequest> stream, ServerCallContext context)
        where TRequest : class => new Reader<TRequest>(this, stream, context);

    private void Check(object? request, ServerCallContext context)
    {
        // Health and reflection have messages of their own; they are not ours to judge.
        if (request is IMessage message && message.Descriptor.File.Package == Package)
        {
            validators.Check(message, Caller.Of(context));
        }
    }

    private sealed class Reader<TRequest>(
        ValidationInterceptor owner, IAsyncStreamReader<TRequest> stream, ServerCallContext context) : IAsyncStreamReader<TRequest>
    {
        public TRequest Current => stream.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await stream.MoveNext(cancellationToken))
            {
                return false;
            }

            owner.Check(stream.Current, context);
            return true;
        }
    }
}
