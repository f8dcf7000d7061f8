/** The models that our engine makes for one provider, while their sessions are another's. */
import * as ort from 'onnxruntime-node';

export interface CapturedModel {
  bytes: Uint8Array;
  /** With which the engine asks for its session. */
  options: ort.InferenceSession.SessionOptions;
}

type Create = (bytes: Uint8Array, options: ort.InferenceSession.SessionOptions) => Promise<ort.InferenceSession>;

/** Until `restore`, sessions are the processor's, whatever provider is asked for. */
export function captureModels(): { models: CapturedModel[]; restore(): void } {
  const models: CapturedModel[] = [];
  const create = ort.InferenceSession.create.bind(ort.InferenceSession) as Create;
  const onProcessor: Create = (bytes, options) => {
    models.push({ bytes, options });
    return create(bytes, { ...options, executionProviders: ['cpu'] });
  };
  const spy = jest.spyOn(ort.InferenceSession, 'create').mockImplementation(onProcessor as never);
  return { models, restore: () => spy.mockRestore() };
}
