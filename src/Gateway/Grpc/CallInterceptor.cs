using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Muster.Gateway.Grpc;

/// <summary>An interceptor that treats all four kinds of calls alike.</summary>
internal abstract class CallInterceptor : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = null;
        await AroundAsync(request, context, async () => response = await continuation(request, context));
        return response!;
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        AroundAsync(request, context, () => continuation(request, responseStream, context));

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = null;
        var reader = Wrap(requestStream, context);
        await AroundAsync(null, context, async () => response = await continuation(reader, context));
        return response!;
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var reader = Wrap(requestStream, context);
        return AroundAsync(null, context, () => continuation(reader, responseStream, context));
    }

    /// <summary>Runs around the call; <paramref name="request"/> is null where requests are a stream.</summary>
    protected abstract Task AroundAsync(object? request, ServerCallContext context, Func<Task> next);

    protected virtual IAsyncStreamReader<TRequest> Wrap<TRequest>(IAsyncStreamReader<TRequest> stream, ServerCallContext context)
        where TRequest : class => stream;
}
